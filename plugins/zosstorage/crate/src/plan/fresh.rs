//! The plan where none of the disks was made by us: all of them have to be empty.

use super::{Observed, Plan, PlannedDisk, PlannedPartition, Role, State, choose, filesystems, wants_bios_boot};
use crate::config::size::Size;
use crate::config::{Config, Topology, UnknownData};
use crate::device::select::partition_path;
use crate::device::{Disk, probe};
use crate::error::{Error, Result};
use crate::filesystem::command::mkfs_vfat;
use crate::partition::layout::{self, Purpose};

pub(super) fn plan(config: &Config, observed: &Observed) -> Result<Plan> {
    let disks: Vec<&Disk> = observed.disks.iter().collect();
    refuse_what_is_not_empty(config, &disks)?;
    refuse_small_ones(config, &disks)?;
    let topology = match config.topology {
        Topology::Auto => choose::automatic(&disks)?,
        named => named,
    };
    let bios_boot = wants_bios_boot(config, observed.firmware);
    let mut planned = Vec::new();
    for (disk, role) in choose::assign(config, topology, &disks)? {
        planned.push(planned_disk(config, disk, role, bios_boot)?);
    }
    let filesystems = filesystems(config, topology, &planned);
    let digest = super::digest(config, observed);
    let notes = notes(config, topology, &planned);
    Ok(Plan { topology, state: State::Fresh, digest, disks: planned, filesystems, notes })
}

fn refuse_what_is_not_empty(config: &Config, disks: &[&Disk]) -> Result<()> {
    let unknown_counts = config.devices.unknown_data == UnknownData::Refuse;
    let mut dirty = Vec::new();
    for disk in disks {
        let found = probe::dirt(&disk.findings, unknown_counts);
        let uses = (!disk.uses.is_empty()).then(|| disk.uses.join(", "));
        for what in found.into_iter().chain(uses) {
            dirty.push(format!("{}: {what}", choose::described(disk)));
        }
    }
    if dirty.is_empty() { Ok(()) } else { Err(Error::NotEmpty(dirty)) }
}

fn refuse_small_ones(config: &Config, disks: &[&Disk]) -> Result<()> {
    let small: Vec<String> = disks
        .iter()
        .filter(|disk| disk.identity.size < config.devices.min_size)
        .map(|disk| format!("  {}", choose::described(disk)))
        .collect();
    if small.is_empty() {
        return Ok(());
    }
    let least = Size(config.devices.min_size);
    Err(Error::Topology(format!("below devices.min_size ({least}):\n{}", small.join("\n"))))
}

fn planned_disk(config: &Config, disk: &Disk, role: Role, bios_boot: bool) -> Result<PlannedDisk> {
    let last = if role == Role::Cache { Purpose::Cache } else { Purpose::Data };
    let identity = &disk.identity;
    let slots = layout::slots(identity.size, identity.sector, bios_boot, config.partitions.esp_size, last)
        .ok_or_else(|| Error::Topology(format!("{} is too small for its partitions", choose::described(disk))))?;
    let partitions = slots.into_iter().zip(1..).map(|(slot, number)| {
        let path = partition_path(&identity.path, number);
        let mkfs = (slot.purpose == Purpose::Esp).then(|| mkfs_vfat(config, &path));
        PlannedPartition {
            number,
            purpose: slot.purpose,
            path,
            start: slot.start,
            length: slot.length,
            guid: None,
            superblock: None,
            mkfs,
        }
    });
    Ok(PlannedDisk { role, partitions: partitions.collect(), disk: disk.clone() })
}

fn notes(config: &Config, topology: Topology, disks: &[PlannedDisk]) -> Vec<String> {
    let mut notes = Vec::new();
    let sizes: Vec<u64> = disks.iter().map(|one| one.disk.identity.size).collect();
    if topology == Topology::BtrfsRaid1 && sizes.iter().any(|size| *size != sizes[0]) {
        notes.push("the mirror is as large as the smaller of its disks".to_owned());
    }
    if topology == Topology::SsdHddBcachefs && config.filesystems.bcachefs.write_back {
        notes.push("write_back: losing the SSD loses what was not yet moved to the HDD".to_owned());
    }
    notes
}
