//! What a configuration must hold beyond the types of its values. The JSON Schema says the same.

use super::size::{MIB, Size};
use super::{Config, Topology};
use crate::error::{Error, Result};

/// FAT32 needs 65525 clusters (Microsoft's specification); with sectors of 4 KiB these are 256 MiB.
const SMALLEST_ESP: u64 = 260 * MIB;
const LARGEST_ESP: u64 = 16 * 1024 * MIB;
/// An ESP and a btrfs that is worth it.
const SMALLEST_DISK: u64 = 1024 * MIB;
/// Items of any list.
const LONGEST_LIST: usize = 64;
/// Characters of any text.
const LONGEST_TEXT: usize = 4096;

const PROFILES: [&str; 4] = ["single", "dup", "raid0", "raid1"];

pub(super) fn check(config: &Config) -> Result<()> {
    let found = problems(config);
    match found.first() {
        None => Ok(()),
        Some(_) => Err(Error::Config { place: "configuration".to_owned(), what: found.join("\n  ") }),
    }
}

fn problems(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let Config { topology, disks, devices, partitions, filesystems, mounts, fstab, report, logging } = config;

    lists(config, &mut found);
    if !disks.is_empty() {
        match topology.disks() {
            None => found.push("disks: name a topology too; auto chooses by what it finds".to_owned()),
            Some(count) if count != disks.len() => {
                found.push(format!("disks: {} takes {count}, {} are named", topology.name(), disks.len()));
            }
            Some(_) => {}
        }
        for (index, disk) in disks.iter().enumerate() {
            if !disk.starts_with("/dev/") || disk.contains(['*', '?', '[']) {
                found.push(format!("disks[{index}]: {disk} is no path of a device, such as /dev/vda"));
            }
            if disks[..index].contains(disk) {
                found.push(format!("disks[{index}]: {disk} is named twice"));
            }
        }
    }
    if devices.include.is_empty() {
        found.push("devices.include: empty, so no disk could be used".to_owned());
    }
    if devices.min_size < SMALLEST_DISK {
        found.push(format!("devices.min_size: expected at least {}", Size(SMALLEST_DISK)));
    }
    if !(SMALLEST_ESP..=LARGEST_ESP).contains(&partitions.esp_size) {
        found.push(format!("partitions.esp_size: expected {} to {}", Size(SMALLEST_ESP), Size(LARGEST_ESP)));
    }
    let profiles = [("data", &filesystems.btrfs.data_profile), ("metadata", &filesystems.btrfs.metadata_profile)];
    for (which, profile) in profiles {
        let Some(profile) = profile else { continue };
        let key = format!("filesystems.btrfs.{which}_profile");
        if !PROFILES.contains(&profile.as_str()) {
            found.push(format!("{key}: {profile} is none of {}", PROFILES.join(", ")));
        } else if profile.starts_with("raid") && *topology != Topology::BtrfsRaid1 {
            found.push(format!("{key}: {profile} takes two devices, which only btrfs_raid1 has"));
        } else if *topology == Topology::BtrfsRaid1 && profile != "raid1" {
            found.push(format!("{key}: btrfs_raid1 mirrors both data and metadata; expected raid1"));
        }
    }
    for (key, compression) in
        [("btrfs", &filesystems.btrfs.compression), ("bcachefs", &filesystems.bcachefs.compression)]
    {
        let Some(compression) = compression else { continue };
        if !is_compression(key, compression) {
            found.push(format!("filesystems.{key}.compression: {compression} is none of its methods"));
        }
    }
    if filesystems.bcachefs.write_back && matches!(topology, Topology::Bcachefs2copy) {
        found.push(
            "filesystems.bcachefs.write_back: bcachefs_2copy keeps both replicas on the backing devices".to_owned(),
        );
    }
    let paths = [
        ("mounts.base", &mounts.base),
        ("fstab.path", &fstab.path),
        ("report.path", &report.path),
        ("logging.file", &logging.file),
    ];
    for (key, path) in paths {
        absolute(key, path, &mut found);
    }
    if mounts.subvolumes.is_empty() {
        found.push("mounts.subvolumes: empty".to_owned());
    }
    for (index, one) in mounts.subvolumes.iter().enumerate() {
        let part = !one.name.is_empty()
            && one.name.len() <= 64
            && one.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && !one.name.starts_with('.');
        if !part {
            found.push(format!("mounts.subvolumes[{index}].name: {:?} is no plain name", one.name));
        }
        absolute(&format!("mounts.subvolumes[{index}].target"), &one.target, &mut found);
        let earlier = &mounts.subvolumes[..index];
        if earlier.iter().any(|other| other.name == one.name || other.target == one.target) {
            found.push(format!("mounts.subvolumes[{index}]: its name or target is there twice"));
        }
    }
    found
}

fn is_compression(filesystem: &str, text: &str) -> bool {
    let (method, level) = text.split_once(':').unwrap_or((text, ""));
    let known = match filesystem {
        "btrfs" => ["zlib", "lzo", "zstd"],
        _ => ["lz4", "gzip", "zstd"],
    };
    let level_fits = text == method || level.parse::<u8>().is_ok_and(|level| (1..=15).contains(&level));
    known.contains(&method) && level_fits && !(method.starts_with("lz") && text != method)
}

fn lists(config: &Config, found: &mut Vec<String>) {
    let Config { disks, devices, filesystems, .. } = config;
    let lists = [
        ("disks", disks),
        ("devices.include", &devices.include),
        ("devices.exclude", &devices.exclude),
        ("devices.allow_removable", &devices.allow_removable),
        ("filesystems.vfat.mkfs_args", &filesystems.vfat.mkfs_args),
        ("filesystems.btrfs.mkfs_args", &filesystems.btrfs.mkfs_args),
        ("filesystems.bcachefs.mkfs_args", &filesystems.bcachefs.mkfs_args),
    ];
    for (key, list) in lists {
        if list.len() > LONGEST_LIST {
            found.push(format!("{key}: {} items, expected at most {LONGEST_LIST}", list.len()));
        }
        for (index, text) in list.iter().enumerate() {
            if text.is_empty() || text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
                found.push(format!("{key}[{index}]: expected 1 to {LONGEST_TEXT} printable characters"));
            }
            if key.ends_with("mkfs_args") && is_forcing(text) {
                found.push(format!("{key}[{index}]: {text} would overwrite what is there"));
            }
        }
    }
    for (index, pattern) in devices.include.iter().chain(&devices.exclude).chain(devices.rotational.keys()).enumerate()
    {
        if !pattern.starts_with("/dev/") {
            found.push(format!("devices: pattern {} ({pattern}) does not begin with /dev/", index + 1));
        }
    }
}

/// `-f`, also among other short options, and `--force`: mkfs would no longer refuse.
fn is_forcing(argument: &str) -> bool {
    argument == "--force" || (argument.starts_with('-') && !argument.starts_with("--") && argument.contains('f'))
}

fn absolute(key: &str, path: &str, found: &mut Vec<String>) {
    let parts = path.strip_prefix('/').map(|rest| rest.split('/'));
    let plain = parts.is_some_and(|mut parts| parts.all(|part| !["", ".", ".."].contains(&part)));
    if !plain || path.len() > LONGEST_TEXT || path.chars().any(|one| one.is_control() || one.is_whitespace()) {
        found.push(format!("{key}: {path:?} is no absolute path in normal form without spaces"));
    }
}
