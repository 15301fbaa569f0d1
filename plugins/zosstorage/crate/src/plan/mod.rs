//! The decision: a pure function of configuration and observed state. Nothing here reads or writes anything.

pub mod choose;
mod digest;
mod fresh;
mod provisioned;
mod requirements;
pub mod steps;
#[cfg(test)]
mod tests;

use crate::config::{BiosBoot, Config, Topology};
use crate::device::Disk;
use crate::error::{Error, Result};
use crate::filesystem::command::Command;
use crate::filesystem::superblock::{Kind, Superblock};
use crate::filesystem::tools::Tools;
use crate::mount::mountinfo::Mount;
use crate::partition::guid::Guid;
use crate::partition::layout::Purpose;
pub use digest::digest;
use serde::Serialize;
use std::path::PathBuf;

/// How the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Firmware {
    Bios,
    Uefi,
}

/// All that the decision is made from, beside the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// How the machine was started.
    pub firmware: Firmware,
    /// Candidates, in order.
    pub disks: Vec<Disk>,
    /// All mounts.
    pub mounts: Vec<Mount>,
    /// Programs and file systems.
    pub tools: Tools,
    /// udev runs.
    pub udev: bool,
}

/// What a disk is to the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The only disk, or the one whose file system has the subvolumes.
    Primary,
    /// The other of two independent disks.
    Secondary,
    /// Half of a mirror.
    Mirror,
    /// Cache of a bcachefs.
    Cache,
    /// Holds the data of a bcachefs.
    Backing,
}

/// Whether anything has to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All disks are empty: everything is made.
    Fresh,
    /// All is there: only what is not mounted is mounted.
    Provisioned,
}

/// A partition of a planned or provisioned disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedPartition {
    /// Number in the table.
    pub number: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// `/dev/vda1`.
    pub path: PathBuf,
    /// Start, in bytes.
    pub start: u64,
    /// Length, in bytes.
    pub length: u64,
    /// Its GUID, once it is there.
    pub guid: Option<Guid>,
    /// What is in it, once it is there.
    pub superblock: Option<Superblock>,
    /// What makes its file system, where it has one of its own.
    pub mkfs: Option<Command>,
}

/// A disk with its role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedDisk {
    /// What was seen of it.
    pub disk: Disk,
    /// What it is for.
    pub role: Role,
    /// Its partitions, in order.
    pub partitions: Vec<PlannedPartition>,
}

/// A data file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedFilesystem {
    /// Kind.
    pub kind: Kind,
    /// Partitions it is made of.
    pub devices: Vec<PathBuf>,
    /// UUID, once it is there.
    pub uuid: Option<String>,
    /// The subvolumes are on it.
    pub primary: bool,
    /// What makes it.
    pub mkfs: Command,
}

/// A whole plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Topology; never `auto`.
    pub topology: Topology,
    /// Whether anything has to be made.
    pub state: State,
    /// Digest of what it was made from.
    pub digest: String,
    /// Disks, the primary first.
    pub disks: Vec<PlannedDisk>,
    /// Data file systems, the primary first.
    pub filesystems: Vec<PlannedFilesystem>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// The file system with the subvolumes.
    pub fn primary(&self) -> Option<&PlannedFilesystem> {
        self.filesystems.iter().find(|one| one.primary)
    }
}

/// Decides what to do. Every error means that nothing may be changed.
pub fn decide(config: &Config, observed: &Observed) -> Result<Plan> {
    if observed.disks.is_empty() {
        let wanted = if config.disks.is_empty() { &config.devices.include } else { &config.disks };
        return Err(Error::NoDisks(format!("none of {} is there, writable, fixed and unused", wanted.join(", "))));
    }
    let missing: Vec<String> =
        config.disks.iter().filter(|path| !observed.disks.iter().any(|disk| disk.path() == **path)).cloned().collect();
    if !missing.is_empty() {
        return Err(Error::NoDisks(format!("{} of disks is not there, not writable or in use", missing.join(", "))));
    }
    let plan = if observed.disks.iter().any(Disk::is_ours) {
        provisioned::plan(config, observed)?
    } else {
        fresh::plan(config, observed)?
    };
    requirements::check(&plan, config, observed)?;
    Ok(plan)
}

/// Whether disks of this machine get a partition for BIOS boot loaders.
fn wants_bios_boot(config: &Config, firmware: Firmware) -> bool {
    match config.partitions.bios_boot {
        BiosBoot::Auto => firmware == Firmware::Bios,
        BiosBoot::Always => true,
        BiosBoot::Never => false,
    }
}

/// The data file systems of disks whose partitions are known.
fn filesystems(config: &Config, topology: Topology, disks: &[PlannedDisk]) -> Vec<PlannedFilesystem> {
    use crate::filesystem::command::{format_bcachefs, mkfs_btrfs};
    let data: Vec<&PlannedPartition> = disks.iter().filter_map(|disk| disk.partitions.last()).collect();
    let paths = |partitions: &[&PlannedPartition]| partitions.iter().map(|one| one.path.clone()).collect::<Vec<_>>();
    let uuid = |partition: &PlannedPartition| partition.superblock.as_ref().map(|found| found.uuid.clone());
    let one = |kind, partitions: &[&PlannedPartition], mkfs, primary| PlannedFilesystem {
        kind,
        devices: paths(partitions),
        uuid: partitions.first().and_then(|first| uuid(first)),
        primary,
        mkfs,
    };
    match topology {
        Topology::Auto => Vec::new(),
        Topology::Single | Topology::DualIndependent | Topology::SsdHddBtrfs => data
            .iter()
            .enumerate()
            .map(|(index, part)| one(Kind::Btrfs, &[part], mkfs_btrfs(config, &paths(&[part])), index == 0))
            .collect(),
        Topology::BtrfsRaid1 => vec![one(Kind::Btrfs, &data, mkfs_btrfs(config, &paths(&data)), true)],
        Topology::SsdHddBcachefs | Topology::Bcachefs2copy => {
            let devices = paths(&data);
            let Some((cache, backing)) = devices.split_first() else { return Vec::new() };
            vec![one(Kind::Bcachefs, &data, format_bcachefs(config, topology, cache, backing), true)]
        }
    }
}
