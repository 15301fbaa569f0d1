//! Which devices are candidates, and reading each of them.

use super::media::{Access, Device, Media};
use super::{Disk, Identity, TableState, pattern, probe, sysfs, usage};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::filesystem::superblock;
use crate::mount::mountinfo::Mount;
use crate::partition::{gpt, layout};
use std::path::{Path, PathBuf};

/// Kinds of devices that are no disks: taken only where a configuration names the very device.
const NO_DISKS: [&str; 7] = ["/dev/ram*", "/dev/zram*", "/dev/fd*", "/dev/loop*", "/dev/sr*", "/dev/dm-*", "/dev/md*"];

/// Where the kernel shows things.
#[derive(Debug, Clone)]
pub struct Roots {
    /// `/sys`
    pub sys: PathBuf,
    /// `/dev`
    pub dev: PathBuf,
    /// `/proc`
    pub proc: PathBuf,
}

impl Default for Roots {
    fn default() -> Roots {
        Roots { sys: "/sys".into(), dev: "/dev".into(), proc: "/proc".into() }
    }
}

/// Why a device is no candidate; nothing where it is one. What is on it is not asked.
pub fn left_out(identity: &Identity, config: &Config) -> Option<&'static str> {
    let path = identity.path.display().to_string();
    let any = |patterns: &[String]| patterns.iter().any(|pattern| pattern::matches(pattern, &path));
    let named = |patterns: &[String]| patterns.iter().any(|one| pattern::is_literal(one) && *one == path);
    if config.disks.is_empty() {
        let literal = named(&config.devices.include);
        if NO_DISKS.iter().any(|kind| pattern::matches(kind, &path)) && !literal {
            return Some("no disk");
        }
        if !any(&config.devices.include) {
            return Some("not in devices.include");
        }
        if any(&config.devices.exclude) {
            return Some("in devices.exclude");
        }
    } else if !config.disks.contains(&path) {
        return Some("not in disks");
    }
    if identity.removable && !any(&config.devices.allow_removable) {
        return Some("removable, and not in devices.allow_removable");
    }
    if identity.read_only {
        return Some("read-only");
    }
    None
}

/// Reads every candidate, in the order of names. Disks that are not ours and in use are no candidates.
pub fn read_disks(roots: &Roots, config: &Config, mounts: &[Mount]) -> Result<Vec<Disk>> {
    let swaps = std::fs::read_to_string(roots.proc.join("swaps")).unwrap_or_default();
    let starts = layout::possible_starts(config.partitions.esp_size);
    let mut disks = Vec::new();
    for name in sysfs::names(&roots.sys)? {
        let Some(mut identity) = sysfs::identity(&roots.sys, &roots.dev, &name) else { continue };
        if let Some(why) = left_out(&identity, config) {
            tracing::debug!(device = %identity.path.display(), why, "left out");
            continue;
        }
        let path = identity.path.display().to_string();
        let said = config.devices.rotational.iter().find(|(one, _)| pattern::matches(one, &path));
        if let Some((_, rotational)) = said {
            identity.rotational = *rotational;
        }
        let device = Device::open(&identity.path, identity.size, identity.sector, Access::Read)?;
        let (findings, table) = content(&device, &starts).map_err(Error::read(&identity.path))?;
        let uses = usage::uses(&roots.sys, &name, mounts, &swaps);
        let disk = Disk { identity, uses, findings, table };
        if !disk.uses.is_empty() && !disk.is_ours() {
            tracing::info!(device = %path, uses = %disk.uses.join(", "), "left out: in use");
            continue;
        }
        disks.push(disk);
    }
    Ok(disks)
}

/// What is on a medium: findings, the table, and superblocks of ours. With a table of ours it is never written, so that
/// nothing else is looked for: a restart does not wait for megabytes of a slow disk.
pub fn content(media: &dyn Media, starts: &[u64]) -> std::io::Result<(probe::Findings, Option<TableState>)> {
    let Some(copies) = gpt::read(media)? else { return Ok((probe::probe(media, starts)?, None)) };
    let sector = u64::from(media.sector());
    let mut superblocks = Vec::new();
    for (number, entry) in &copies.table.entries {
        if layout::NAMES.contains(&entry.name.as_str())
            && let Some(found) = superblock::read(media, entry.first * sector)?
        {
            superblocks.push((*number, found));
        }
    }
    let table = TableState { copies, superblocks };
    let findings = if table.is_ours() {
        probe::Findings::table_alone("gpt", if table.copies.primary { sector } else { media.size() - sector })
    } else {
        probe::probe(media, starts)?
    };
    Ok((findings, Some(table)))
}

/// Opens a disk alone and checks that it still is what it was. Nothing is written.
pub fn claim(disk: &Disk, esp_size: u64) -> Result<Device> {
    let Identity { path, size, sector, .. } = &disk.identity;
    let device = Device::open(path, *size, *sector, Access::Exclusive)?;
    let moved = |what: &str| Error::Moved(format!("{} {what} since it was looked at", path.display()));
    if device.real_size().map_err(Error::read(path))? != *size {
        return Err(moved("has another size"));
    }
    let (findings, table) = content(&device, &layout::possible_starts(esp_size)).map_err(Error::read(path))?;
    if findings != disk.findings || table != disk.table {
        return Err(moved("has changed"));
    }
    Ok(device)
}

/// Path of a partition: `/dev/vda1`, `/dev/nvme0n1p1`.
pub fn partition_path(disk: &Path, number: u32) -> PathBuf {
    let text = disk.display().to_string();
    let separator = if text.ends_with(|last: char| last.is_ascii_digit()) { "p" } else { "" };
    PathBuf::from(format!("{text}{separator}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layer::parse;
    use crate::device::Transport;

    #[test]
    fn candidates_are_fixed_writable_disks_that_patterns_allow() {
        let usb = "devices: { allow_removable: ['/dev/sdc'] }";
        let cases: &[(&str, &str, [bool; 2], Option<&str>)] = &[
            ("/dev/sda", "", [false, false], None),
            ("/dev/nvme0n1", "", [false, false], None),
            ("/dev/vdb", "", [false, false], None),
            ("/dev/mmcblk0", "", [false, false], Some("not in devices.include")),
            ("/dev/loop0", "", [false, false], Some("no disk")),
            ("/dev/zram0", "devices: { include: ['/dev/*'] }", [false, false], Some("no disk")),
            ("/dev/dm-0", "devices: { include: ['/dev/dm-*'] }", [false, false], Some("no disk")),
            ("/dev/md0", "devices: { include: ['/dev/md*'] }", [false, false], Some("no disk")),
            ("/dev/sr0", "", [true, true], Some("no disk")),
            ("/dev/loop0", "devices: { include: ['/dev/loop0'] }", [false, false], None),
            ("/dev/sdb", "devices: { exclude: ['/dev/sd[b-d]'] }", [false, false], Some("in devices.exclude")),
            ("/dev/sdc", "", [true, false], Some("removable, and not in devices.allow_removable")),
            ("/dev/sdc", usb, [true, false], None),
            ("/dev/sda", "", [false, true], Some("read-only")),
            ("/dev/vda", "topology: single\ndisks: [/dev/vdb]", [false, false], Some("not in disks")),
            ("/dev/loop1", "topology: single\ndisks: [/dev/loop1]", [false, false], None),
        ];
        for (path, more, [removable, read_only], expected) in cases {
            let config = Config::new(parse(&format!("version: 1\n{more}\n"), "test").unwrap()).unwrap();
            let identity = Identity {
                path: path.into(),
                size: 1 << 40,
                sector: 512,
                rotational: false,
                model: None,
                serial: None,
                transport: Transport::Other,
                removable: *removable,
                read_only: *read_only,
            };
            assert_eq!(left_out(&identity, &config), *expected, "{path} {more}");
        }
    }
}
