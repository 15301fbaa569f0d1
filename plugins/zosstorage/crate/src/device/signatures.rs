//! Signatures that libblkid knows, as a table: any match means that a disk is not empty. Offsets and magics are those of
//! util-linux, libblkid/src/superblocks and libblkid/src/partitions; checksums are not asked for, since a damaged
//! superblock is somebody's data too.

use serde::Serialize;

/// What kind of thing a signature belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A partition table.
    Table,
    /// A file system, or swap.
    Filesystem,
    /// A member of a RAID, of LVM, or of another device that is made of several.
    Member,
    /// Something encrypted.
    Crypto,
}

/// Where a magic is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// From the start.
    Start(u64),
    /// Before the end.
    End(u64),
    /// The size, rounded down to a multiple of `.0`, less `.1`.
    Aligned(u64, u64),
}

impl At {
    /// Offset on a medium of that size; none where the medium is too small.
    pub fn offset(self, size: u64) -> Option<u64> {
        match self {
            At::Start(offset) => Some(offset),
            At::End(back) => size.checked_sub(back),
            At::Aligned(step, back) => (size / step * step).checked_sub(back),
        }
    }
}

/// Magics of one kind: each of them counts at each of the places.
pub struct Magic {
    /// Name, as libblkid has it.
    pub kind: &'static str,
    /// What it is.
    pub class: Class,
    /// Places.
    pub at: &'static [At],
    /// Byte strings.
    pub bytes: &'static [&'static [u8]],
}

const fn magic(kind: &'static str, class: Class, at: &'static [At], bytes: &'static [&'static [u8]]) -> Magic {
    Magic { kind, class, at, bytes }
}

use At::{Aligned, End, Start};
use Class::{Crypto, Filesystem as Fs, Member, Table};

/// Swap's magic ends its first page, whose size depends on the machine.
const PAGES: &[At] = &[Start(0xff6), Start(0x1ff6), Start(0x3ff6), Start(0x7ff6), Start(0xfff6)];
const S: u64 = 512;

/// All magics at fixed places.
#[rustfmt::skip]
pub const MAGICS: &[Magic] = &[
    magic("gpt", Table, &[Start(512), Start(4096), End(512), End(4096)], &[b"EFI PART"]),
    magic("dos", Table, &[Start(510)], &[b"\x55\xaa"]),
    magic("mac", Table, &[Start(0)], &[b"ER"]),
    magic("mac", Table, &[Start(512), Start(2048)], &[b"PM\0\0"]),
    magic("sgi", Table, &[Start(0)], &[b"\x0b\xe5\xa9\x41"]),
    magic("sun", Table, &[Start(508)], &[b"\xda\xbe"]),
    magic("bsd", Table, &[Start(0), Start(64), Start(512), Start(576)], &[b"\x57\x45\x56\x82"]),
    magic("aix", Table, &[Start(0)], &[b"\xc9\xc2\xd4\xc1"]),
    magic("ultrix", Table, &[Start(16384 - 72)], &[b"\x57\x29\x03\x00"]),
    magic("unixware", Table, &[Start(29 * S + 4)], &[b"\x0d\x60\x5e\xca"]),
    magic("solaris", Table, &[Start(S + 12)], &[b"\xee\xde\x0d\x60"]),

    magic("linux_raid_member", Member, &[Start(0), Start(4096), Aligned(4096, 8192), Aligned(65536, 65536)],
        &[b"\xfc\x4e\x2b\xa9", b"\xa9\x2b\x4e\xfc"]),
    magic("ddf_raid_member", Member, &[End(S), End(257 * S)], &[b"\xde\x11\xde\x11", b"\x11\xde\x11\xde"]),
    magic("isw_raid_member", Member, &[End(2 * S), End(2 * 4096)], &[b"Intel Raid ISM Cfg Sig. "]),
    magic("lsi_mega_raid_member", Member, &[End(S)], &[b"$XIDE$"]),
    magic("via_raid_member", Member, &[End(S)], &[b"\x55\xaa"]),
    magic("silicon_medley_raid_member", Member,
        &[End(S - 0x60), End(257 * S - 0x60), End(513 * S - 0x60), End(769 * S - 0x60)], &[b"\0\0\0\x2f"]),
    magic("nvidia_raid_member", Member, &[End(2 * S)], &[b"NVIDIA"]),
    magic("promise_fasttrack_raid_member", Member,
        &[End(63 * S), End(255 * S), End(256 * S), End(16 * S), End(399 * S), End(591 * S), End(675 * S), End(735 * S),
          End(911 * S), End(974 * S), End(991 * S), End(951 * S), End(3087 * S)], &[b"Promise Technology, Inc."]),
    magic("hpt45x_raid_member", Member, &[End(11 * S)], &[b"\xf3\x16\x78\x5a", b"\xfd\x16\x78\x5a"]),
    magic("hpt37x_raid_member", Member, &[Start(9 * S + 32)], &[b"\xf0\x16\x78\x5a", b"\xfd\x16\x78\x5a"]),
    magic("adaptec_raid_member", Member, &[End(S)], &[b"\x37\xfc\x4d\x1e"]),
    magic("jmicron_raid_member", Member, &[End(S)], &[b"JM"]),
    magic("LVM2_member", Member, &[Start(0x18), Start(0x218), Start(0x418), Start(0x618)], &[b"LVM2 001"]),
    magic("LVM2_member", Member, &[Start(0), Start(512), Start(1024), Start(1536)], &[b"LABELONE"]),
    magic("LVM1_member", Member, &[Start(0)], &[b"HM\x01\0", b"HM\x02\0"]),
    magic("DM_snapshot_cow", Member, &[Start(0)], &[b"SnAp"]),
    magic("DM_verity_hash", Crypto, &[Start(0)], &[b"verity\0\0"]),
    magic("DM_integrity", Crypto, &[Start(0)], &[b"integrt\0"]),
    magic("crypto_LUKS", Crypto, &[Start(0)], &[b"LUKS\xba\xbe"]),
    magic("crypto_LUKS", Crypto, &[Start(0x4000), Start(0x8000), Start(0x10000), Start(0x20000), Start(0x40000),
        Start(0x80000), Start(0x10_0000), Start(0x20_0000), Start(0x40_0000)], &[b"SKUL\xba\xbe"]),
    magic("BitLocker", Crypto, &[Start(3)], &[b"-FVE-FS-"]),
    magic("VMFS_volume_member", Member, &[Start(1024 * 1024)], &[b"\x0d\xd0\x01\xc0"]),
    magic("VMFS", Fs, &[Start(2 * 1024 * 1024)], &[b"\x5e\xf1\xab\x2f"]),
    magic("stratis", Member, &[Start(S + 4), Start(9 * S + 4)], &[b"!Stra0tis\x86\xff\x02^\x41rh"]),
    magic("drbd", Member, &[End(4096 - 60)], &[b"\x83\x74\x02\x6b", b"\x83\x74\x02\x6c", b"\x83\x74\x02\x6d"]),
    magic("drbdproxy_datalog", Member, &[Start(0)], &[b"DRBDdlh*"]),
    magic("drbdmanage_control_volume", Member, &[Start(0)], &[b"$DRBDmgr=q"]),
    magic("bcache", Member, &[Start(0x1018)], &[b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"]),
    magic("bcachefs", Fs, &[Start(0x1018)], &[b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"]),
    magic("ceph_bluestore", Member, &[Start(0)], &[b"bluestore block device"]),
    magic("ubi", Member, &[Start(0)], &[b"UBI#"]),
    magic("vdo", Member, &[Start(0)], &[b"dmvdo001"]),
    magic("zfs_member", Member, &[Start(8192), Start(8192 + 256 * 1024)], &[b"\x0c\xb1\x07\xb0\xf5\x02\0\0", b"\0\0\x02\xf5\xb0\x07\xb1\x0c"]),

    magic("vfat", Fs, &[Start(0x52)], &[b"FAT32   ", b"MSWIN"]),
    magic("vfat", Fs, &[Start(0x36)], &[b"FAT16   ", b"FAT12   ", b"FAT     ", b"MSDOS"]),
    magic("ntfs", Fs, &[Start(3)], &[b"NTFS    "]),
    magic("exfat", Fs, &[Start(3)], &[b"EXFAT   "]),
    magic("ReFS", Fs, &[Start(0)], &[b"\0\0\0ReFS\0"]),
    magic("swap", Fs, PAGES, &[b"SWAP-SPACE", b"SWAPSPACE2"]),
    magic("swsuspend", Fs, PAGES, &[b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND", b"LINHIB0001", b"\xed\xc3\x02\xe9\x98\x56\xe5\x0c"]),
    magic("btrfs", Fs, &[Start(0x10040), Start(0x400_0040)], &[b"_BHRfS_M"]),
    magic("xfs", Fs, &[Start(0)], &[b"XFSB"]),
    magic("xfs_external_log", Fs, &[Start(0), Start(S), Start(2 * S), Start(3 * S), Start(4096)], &[b"\xfe\xed\xba\xbe"]),
    magic("exfs", Fs, &[Start(0)], &[b"EXFS"]),
    magic("ext2", Fs, &[Start(0x438)], &[b"\x53\xef"]),
    magic("reiserfs", Fs, &[Start(0x2034), Start(0x2014), Start(0x10034)], &[b"ReIsErFs", b"ReIsEr2Fs", b"ReIsEr3Fs"]),
    magic("reiser4", Fs, &[Start(0x10000)], &[b"ReIsEr4"]),
    magic("jfs", Fs, &[Start(0x8000)], &[b"JFS1"]),
    magic("udf", Fs, &[Start(0x8001), Start(0x8801), Start(0x9001)], &[b"BEA01", b"BOOT2", b"CDW02", b"NSR02", b"NSR03", b"TEA01"]),
    magic("iso9660", Fs, &[Start(0x8001)], &[b"CD001"]),
    magic("iso9660", Fs, &[Start(0x8009)], &[b"CDROM"]),
    magic("hfsplus", Fs, &[Start(0x400)], &[b"H+\0\x04", b"HX\0\x05"]),
    magic("hfs", Fs, &[Start(0x400)], &[b"BD"]),
    magic("ufs", Fs, &[Start(1372), Start(8192 + 1372), Start(65536 + 1372), Start(262_144 + 1372)],
        &[b"\x54\x19\x01\0", b"\0\x01\x19\x54", b"\x19\x01\x54\x19", b"\x19\x54\x01\x19", b"\x12\x56\x19\0", b"\0\x19\x56\x12",
          b"\x14\x50\x09\0", b"\0\x09\x50\x14", b"\x95\x21\x61\0", b"\0\x61\x21\x95", b"\x94\x19\x23\x05", b"\x05\x23\x19\x94"]),
    magic("hpfs", Fs, &[Start(0x2000)], &[b"\x49\xe8\x95\xf9"]),
    magic("sysv", Fs, &[Start(0x3f8), Start(0x5f8), Start(0x3ff8), Start(0x7ff8)], &[b"\x20\x7e\x18\xfd", b"\xfd\x18\x7e\x20"]),
    magic("xenix", Fs, &[Start(0x7f8)], &[b"\x44\x55\x2b\0", b"\0\x2b\x55\x44"]),
    magic("cramfs", Fs, &[Start(0), Start(512)], &[b"\x45\x3d\xcd\x28", b"\x28\xcd\x3d\x45"]),
    magic("romfs", Fs, &[Start(0)], &[b"-rom1fs-"]),
    magic("minix", Fs, &[Start(0x410)], &[b"\x7f\x13", b"\x8f\x13", b"\x68\x24", b"\x78\x24", b"\x13\x7f", b"\x13\x8f", b"\x24\x68", b"\x24\x78"]),
    magic("minix", Fs, &[Start(0x418)], &[b"\x5a\x4d", b"\x4d\x5a"]),
    magic("gfs2", Fs, &[Start(0x10000)], &[b"\x01\x16\x19\x70"]),
    magic("ocfs", Fs, &[Start(8)], &[b"OracleCFS"]),
    magic("ocfs2", Fs, &[Start(1024), Start(2048), Start(4096), Start(8192)], &[b"OCFSV2"]),
    magic("oracleasm", Member, &[Start(32)], &[b"ORCLDISK"]),
    magic("vxfs", Fs, &[Start(0x400), Start(0x2000)], &[b"\xf5\xfc\x01\xa5", b"\xa5\x01\xfc\xf5"]),
    magic("squashfs", Fs, &[Start(0)], &[b"hsqs", b"sqsh"]),
    magic("nss", Fs, &[Start(0x1000)], &[b"SPB5"]),
    magic("ubifs", Fs, &[Start(0)], &[b"\x31\x18\x10\x06"]),
    magic("bfs", Fs, &[Start(0)], &[b"\xce\xfa\xad\x1b"]),
    magic("befs", Fs, &[Start(0x20), Start(0x220)], &[b"BFS1", b"1SFB"]),
    magic("nilfs2", Fs, &[Start(0x406), Aligned(4096, 4096 - 6)], &[b"\x34\x34"]),
    magic("f2fs", Fs, &[Start(0x400), Start(0x1400)], &[b"\x10\x20\xf5\xf2"]),
    magic("mpool", Fs, &[Start(8)], &[b"mpoolDev"]),
    magic("apfs", Fs, &[Start(32)], &[b"NXSB"]),
    magic("zonefs", Fs, &[Start(0)], &[b"SFOZ"]),
    magic("erofs", Fs, &[Start(0x400)], &[b"\xe2\xe1\xf5\xe0"]),
];

/// Names under which libblkid has kinds that the table has under another: they share their magic.
pub const ALIASES: &[(&str, &str)] = &[
    ("ext3", "ext2"),
    ("ext4", "ext2"),
    ("ext4dev", "ext2"),
    ("jbd", "ext2"),
    ("gfs", "gfs2"),
    ("squashfs3", "squashfs"),
];

/// Which ext the superblock at `0x400` is: features as in Documentation/filesystems/ext4/super.rst.
pub fn ext_kind(superblock: &[u8]) -> &'static str {
    let word = |at: usize| {
        superblock.get(at..at + 4).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    };
    let (compatible, incompatible) = (word(0x5c), word(0x60));
    match (incompatible & 0x8 != 0, incompatible & 0x2c0 != 0, compatible & 0x4 != 0) {
        (true, _, _) => "jbd",
        (_, true, _) => "ext4",
        (_, _, true) => "ext3",
        _ => "ext2",
    }
}

/// ZFS writes uberblocks of 1 KiB into a ring of 128 KiB at this offset in each of four labels of 256 KiB.
pub const ZFS_LABELS: [At; 4] =
    [Start(0), Start(256 * 1024), Aligned(256 * 1024, 512 * 1024), Aligned(256 * 1024, 256 * 1024)];
/// Where the ring begins and ends within a label.
pub const ZFS_RING: std::ops::Range<u64> = 128 * 1024..256 * 1024;
/// An uberblock's magic, of either byte order.
pub const ZFS_UBERBLOCK: [&[u8]; 2] = [b"\x0c\xb1\xba\0\0\0\0\0", b"\0\0\0\0\0\xba\xb1\x0c"];
