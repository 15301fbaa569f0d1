use super::command::{format_bcachefs, mkfs_btrfs, mkfs_vfat};
use super::superblock::{bcachefs, btrfs, vfat};
use crate::config::layer::parse;
use crate::config::{Config, Topology};
use std::path::{Path, PathBuf};

fn config(more: &str) -> Config {
    Config::new(parse(&format!("version: 1\n{more}"), "test").unwrap()).unwrap()
}

fn devices(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn commands_of_vfat_and_btrfs() {
    let plain = config("");
    assert_eq!(mkfs_vfat(&plain, Path::new("/dev/vda1")).text(), "mkfs.vfat -F 32 -n ZOSBOOT /dev/vda1");
    assert_eq!(mkfs_btrfs(&plain, &devices(&["/dev/vda2"])).text(), "mkfs.btrfs -q -K -L ZOSDATA /dev/vda2");
    assert_eq!(
        mkfs_btrfs(&plain, &devices(&["/dev/vda2", "/dev/vdb2"])).text(),
        "mkfs.btrfs -q -K -L ZOSDATA -d raid1 -m raid1 /dev/vda2 /dev/vdb2"
    );
    let tuned = config(
        "filesystems:\n  btrfs: { metadata_profile: single, mkfs_args: [--csum, xxhash] }\n  vfat: { mkfs_args: [-s, '8'] }\n",
    );
    assert_eq!(mkfs_vfat(&tuned, Path::new("/dev/vda1")).text(), "mkfs.vfat -F 32 -n ZOSBOOT -s 8 /dev/vda1");
    assert_eq!(
        mkfs_btrfs(&tuned, &devices(&["/dev/vda2"])).text(),
        "mkfs.btrfs -q -K -L ZOSDATA -m single --csum xxhash /dev/vda2"
    );
}

#[test]
fn commands_of_bcachefs() {
    let cache = Path::new("/dev/nvme0n1p2");
    let two = format_bcachefs(&config(""), Topology::Bcachefs2copy, cache, &devices(&["/dev/sda2", "/dev/sdb2"]));
    assert_eq!(
        two.text(),
        "bcachefs format --quiet --fs_label ZOSDATA --replicas=2 --foreground_target=backing --background_target=backing \
         --metadata_target=backing --promote_target=cache --label=cache.0 --durability=0 /dev/nvme0n1p2 \
         --label=backing.0 --durability=1 /dev/sda2 --label=backing.1 --durability=1 /dev/sdb2"
    );
    let tuned =
        config("topology: ssd_hdd_bcachefs\nfilesystems: { bcachefs: { write_back: true, compression: 'zstd:3' } }\n");
    let one = format_bcachefs(&tuned, Topology::SsdHddBcachefs, cache, &devices(&["/dev/sda2"]));
    assert_eq!(
        one.text(),
        "bcachefs format --quiet --fs_label ZOSDATA --replicas=1 --compression=zstd:3 --foreground_target=cache \
         --background_target=backing --metadata_target=backing --promote_target=cache --label=cache.0 --durability=1 \
         /dev/nvme0n1p2 --label=backing.0 --durability=1 /dev/sda2"
    );
}

#[test]
fn superblocks_of_any_bytes_are_one_or_none() {
    for length in [0, 1, 0x42, 0x48, 255, 256, 511, 512, 4095] {
        let bytes = vec![0x5f; length];
        assert!(btrfs(&bytes).is_none() && bcachefs(&bytes).is_none() && vfat(&bytes).is_none());
    }
    let mut bytes = vec![0xff; 4096];
    bytes[0x40..0x48].copy_from_slice(b"_BHRfS_M");
    assert_eq!(btrfs(&bytes).unwrap().devices, u64::MAX);
    for length in 0..4096 {
        btrfs(&bytes[..length]);
    }
    bytes[24..40].copy_from_slice(b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef");
    bytes[72..80].copy_from_slice(b"ZOSDATA\0");
    let found = bcachefs(&bytes).unwrap();
    assert_eq!((found.label.as_str(), found.devices, found.device.as_str()), ("ZOSDATA", 255, "255"));
}
