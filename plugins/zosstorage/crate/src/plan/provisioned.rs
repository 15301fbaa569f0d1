//! The plan where disks of ours are there: either all of a topology is, or the run ends with a list of what is not.

use super::{
    Firmware, Observed, Plan, PlannedDisk, PlannedPartition, Role, State, choose, filesystems, wants_bios_boot,
};
use crate::config::{Config, Topology};
use crate::device::Disk;
use crate::device::select::partition_path;
use crate::error::{Error, Result};
use crate::filesystem::command::{LABEL_BOOT, LABEL_DATA};
use crate::filesystem::superblock::{Kind, Superblock};
use crate::partition::gpt::Entry;
use crate::partition::layout::{PRIMARY, Purpose};

/// What was expected, sorted by whether it is there.
#[derive(Default)]
struct Judgement {
    there: Vec<String>,
    missing: Vec<String>,
}

impl Judgement {
    fn add(&mut self, is_there: bool, what: String) {
        if is_there { self.there.push(what) } else { self.missing.push(what) }
    }
}

pub(super) fn plan(config: &Config, observed: &Observed) -> Result<Plan> {
    let (ours, others): (Vec<&Disk>, Vec<&Disk>) = observed.disks.iter().partition(|disk| disk.is_ours());
    let mut first_error = None;
    for topology in candidates(config, &ours) {
        let (mut judgement, planned) = judge(config, observed.firmware, topology, &ours);
        if judgement.missing.is_empty() {
            let filesystems = filesystems(config, topology, &planned);
            let digest = super::digest(config, observed);
            let mut notes: Vec<String> = others
                .iter()
                .map(|disk| format!("{} is no part of it and left alone", choose::described(disk)))
                .collect();
            notes.extend(ours.iter().filter(|disk| !has_both_copies(disk)).map(|disk| {
                format!("{}: the backup of its partition table is damaged or not at its end", disk.path())
            }));
            return Ok(Plan { topology, state: State::Provisioned, digest, disks: planned, filesystems, notes });
        }
        judgement.there.extend(others.iter().map(|disk| format!("{}, not provisioned", choose::described(disk))));
        let Judgement { there, missing } = judgement;
        first_error.get_or_insert(Error::Partial { topology: topology.name().to_owned(), there, missing });
    }
    Err(first_error.unwrap_or_else(|| {
        let disks = ours.iter().map(|disk| choose::described(disk)).collect::<Vec<_>>().join(", ");
        Error::Topology(format!("no topology has so many provisioned disks: {disks}"))
    }))
}

fn has_both_copies(disk: &Disk) -> bool {
    disk.table.as_ref().is_some_and(|table| table.copies.backup)
}

/// The named topology; for `auto` all that have so many disks, the likeliest first.
fn candidates(config: &Config, ours: &[&Disk]) -> Vec<Topology> {
    if config.topology != Topology::Auto {
        return vec![config.topology];
    }
    let kinds_differ =
        ours.iter().any(|disk| disk.identity.rotational) && !ours.iter().all(|disk| disk.identity.rotational);
    let has_cache = ours.iter().any(|disk| entries(disk).any(|(_, entry)| Purpose::of(entry) == Some(Purpose::Cache)));
    match (ours.len(), has_cache, kinds_differ) {
        (1, false, _) => vec![Topology::Single],
        (1 | 2, true, _) => vec![Topology::SsdHddBcachefs],
        (2, false, true) => vec![Topology::SsdHddBtrfs, Topology::BtrfsRaid1],
        (2, false, false) => vec![Topology::DualIndependent, Topology::BtrfsRaid1],
        (3, ..) => vec![Topology::Bcachefs2copy],
        _ => Vec::new(),
    }
}

fn entries(disk: &Disk) -> impl Iterator<Item = &(u32, Entry)> {
    disk.table.iter().flat_map(|table| &table.copies.table.entries)
}

fn entry_of(disk: &Disk, wanted: Purpose) -> Option<&(u32, Entry)> {
    entries(disk).find(|(_, entry)| Purpose::of(entry) == Some(wanted))
}

fn superblock(disk: &Disk, number: u32) -> Option<&Superblock> {
    disk.table.as_ref()?.superblocks.iter().find(|(one, _)| *one == number).map(|(_, found)| found)
}

/// Disks in the order of the roles that they were given when they were made: by their partitions, not by their names.
fn ordered<'a>(topology: Topology, ours: &[&'a Disk]) -> Vec<&'a Disk> {
    let mut disks = ours.to_vec();
    match topology {
        Topology::SsdHddBcachefs | Topology::Bcachefs2copy => {
            disks.sort_by_key(|disk| entry_of(disk, Purpose::Cache).is_none());
        }
        Topology::DualIndependent | Topology::SsdHddBtrfs => disks.sort_by_key(|disk| {
            let is_primary = entry_of(disk, Purpose::Data).is_some_and(|(_, entry)| entry.attributes & PRIMARY != 0);
            (!is_primary, topology == Topology::SsdHddBtrfs && disk.identity.rotational)
        }),
        _ => {}
    }
    disks
}

fn judge(config: &Config, firmware: Firmware, topology: Topology, ours: &[&Disk]) -> (Judgement, Vec<PlannedDisk>) {
    let mut judgement = Judgement::default();
    let roles = choose::roles(topology);
    let mut planned = Vec::new();
    let disks = ordered(topology, ours);
    for (index, role) in roles.iter().enumerate() {
        match disks.get(index) {
            Some(disk) => planned.push(judge_disk(config, firmware, disk, *role, &mut judgement)),
            None => judgement.missing.push(format!("disk {} of {}", index + 1, roles.len())),
        }
    }
    for disk in disks.iter().skip(roles.len()) {
        judgement.missing.push(format!("{} is provisioned too, but has no role", choose::described(disk)));
    }
    judge_filesystems(topology, &planned, &mut judgement);
    (judgement, planned)
}

fn judge_disk(config: &Config, firmware: Firmware, disk: &Disk, role: Role, judgement: &mut Judgement) -> PlannedDisk {
    let last = if role == Role::Cache { Purpose::Cache } else { Purpose::Data };
    let path = disk.path();
    let sector = u64::from(disk.identity.sector);
    let mut partitions = Vec::new();
    if disk.table.as_ref().is_some_and(|table| !table.copies.primary) {
        judgement.missing.push(format!("{path}: the primary copy of its partition table"));
    }
    for purpose in [Purpose::BiosBoot, Purpose::Esp, last] {
        let found = entry_of(disk, purpose);
        let is_optional = purpose == Purpose::BiosBoot && !wants_bios_boot(config, firmware);
        if !is_optional || found.is_some() {
            judgement.add(found.is_some(), format!("{path}: partition {} ({purpose:?})", purpose.name()));
        }
        let Some((number, entry)) = found else { continue };
        partitions.push(PlannedPartition {
            number: *number,
            purpose,
            path: partition_path(&disk.identity.path, *number),
            start: entry.first * sector,
            length: (entry.last + 1 - entry.first) * sector,
            guid: Some(entry.guid),
            superblock: superblock(disk, *number).cloned(),
            mkfs: None,
        });
    }
    let ordered = partitions.windows(2).all(|pair| pair[0].start < pair[1].start);
    if !ordered {
        judgement.missing.push(format!("{path}: its partitions in order"));
    }
    for partition in partitions.iter().filter(|one| one.purpose == Purpose::Esp) {
        let fits =
            partition.superblock.as_ref().is_some_and(|found| found.kind == Kind::Vfat && found.label == LABEL_BOOT);
        judgement.add(fits, format!("{}: vfat {LABEL_BOOT}", partition.path.display()));
    }
    PlannedDisk { disk: disk.clone(), role, partitions }
}

/// Kinds, labels and UUIDs of the data partitions, and how these belong together.
fn judge_filesystems(topology: Topology, disks: &[PlannedDisk], judgement: &mut Judgement) {
    let (kind, shared) = match topology {
        Topology::Single | Topology::DualIndependent | Topology::SsdHddBtrfs | Topology::Auto => (Kind::Btrfs, false),
        Topology::BtrfsRaid1 => (Kind::Btrfs, true),
        Topology::SsdHddBcachefs | Topology::Bcachefs2copy => (Kind::Bcachefs, true),
    };
    let devices = if shared { choose::roles(topology).len() as u64 } else { 1 };
    let data = |disk: &PlannedDisk| {
        disk.partitions.iter().find(|one| matches!(one.purpose, Purpose::Data | Purpose::Cache)).cloned()
    };
    let mut seen: Vec<Superblock> = Vec::new();
    for partition in disks.iter().filter_map(data) {
        let path = partition.path.display();
        let fits = |found: &&Superblock| found.kind == kind && found.label == LABEL_DATA;
        let Some(found) = partition.superblock.as_ref().filter(fits) else {
            judgement.missing.push(format!("{path}: {} {LABEL_DATA}", kind.name()));
            continue;
        };
        judgement.there.push(format!("{path}: {} {LABEL_DATA}, UUID {}", kind.name(), found.uuid));
        if found.devices != devices {
            let of = if devices == 1 { "of one device".to_owned() } else { format!("of {devices} devices") };
            judgement.missing.push(format!("{path}: a file system {of} (it has {})", found.devices));
        }
        if let Some(first) = seen.first() {
            if shared && first.uuid != found.uuid {
                judgement.missing.push(format!("{path}: the UUID of the others ({})", first.uuid));
            }
            if seen.iter().any(|one| (one.uuid == found.uuid) != shared || (shared && one.device == found.device)) {
                judgement.missing.push(format!("{path}: an identity of its own"));
            }
        }
        seen.push(found.clone());
    }
}
