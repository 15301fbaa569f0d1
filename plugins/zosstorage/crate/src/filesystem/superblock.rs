//! Superblocks of the file systems that are made here: kind, label, UUID, and which devices belong together.

use crate::device::media::Media;
use crate::partition::guid::uuid_text;
use serde::Serialize;
use std::io;

/// Kinds of file systems that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Kind {
    Vfat,
    Btrfs,
    Bcachefs,
}

impl Kind {
    /// Name, as `mount -t` has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Vfat => "vfat",
            Kind::Btrfs => "btrfs",
            Kind::Bcachefs => "bcachefs",
        }
    }
}

/// What a superblock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Superblock {
    /// File system.
    pub kind: Kind,
    /// UUID of the file system, as `/dev/disk/by-uuid` has it.
    pub uuid: String,
    /// Label, trimmed.
    pub label: String,
    /// Identity of this device within the file system; empty for vfat.
    pub device: String,
    /// How many devices the file system has.
    pub devices: u64,
}

/// Offsets of btrfs (Documentation/filesystems/btrfs.rst and fs/btrfs/ctree.h), in bytes from the superblock.
const BTRFS_AT: u64 = 64 * 1024;
/// Offset of a bcachefs superblock (fs/bcachefs/bcachefs_format.h).
const BCACHEFS_AT: u64 = 4096;

/// Reads the superblock of whatever begins at an offset; nothing where it is none of our kinds.
pub fn read(media: &dyn Media, start: u64) -> io::Result<Option<Superblock>> {
    let block = |offset: u64, length: usize| -> io::Result<Option<Vec<u8>>> {
        let Some(at) = start.checked_add(offset).filter(|at| *at + length as u64 <= media.size()) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        media.read_at(at, &mut bytes)?;
        Ok(Some(bytes))
    };
    if let Some(found) = block(BTRFS_AT, 4096)?.as_deref().and_then(btrfs) {
        return Ok(Some(found));
    }
    if let Some(found) = block(BCACHEFS_AT, 4096)?.as_deref().and_then(bcachefs) {
        return Ok(Some(found));
    }
    Ok(block(0, 512)?.as_deref().and_then(vfat))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Text up to its first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned()
}

/// Reads a btrfs superblock.
pub fn btrfs(bytes: &[u8]) -> Option<Superblock> {
    if &field::<8>(bytes, 0x40)? != b"_BHRfS_M" {
        return None;
    }
    Some(Superblock {
        kind: Kind::Btrfs,
        uuid: uuid_text(&field(bytes, 0x20)?),
        label: text(bytes.get(0x12b..0x22b)?),
        device: uuid_text(&field(bytes, 0x10b)?),
        devices: u64::from_le_bytes(field(bytes, 0x88)?),
    })
}

/// Reads a bcachefs superblock.
pub fn bcachefs(bytes: &[u8]) -> Option<Superblock> {
    let magic = b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
    if &field::<16>(bytes, 24)? != magic {
        return None;
    }
    let [index, devices] = field::<2>(bytes, 122)?;
    Some(Superblock {
        kind: Kind::Bcachefs,
        uuid: uuid_text(&field(bytes, 56)?),
        label: text(bytes.get(72..104)?),
        device: index.to_string(),
        devices: u64::from(devices),
    })
}

/// Reads the boot sector of FAT32.
pub fn vfat(bytes: &[u8]) -> Option<Superblock> {
    if &field::<8>(bytes, 0x52)? != b"FAT32   " || field::<2>(bytes, 510)? != [0x55, 0xaa] {
        return None;
    }
    let [a, b, c, d] = field::<4>(bytes, 0x43)?;
    Some(Superblock {
        kind: Kind::Vfat,
        uuid: format!("{d:02X}{c:02X}-{b:02X}{a:02X}"),
        label: text(bytes.get(0x47..0x52)?),
        device: String::new(),
        devices: 1,
    })
}
