//! Configuration: layers from files and flags, laid over the defaults, then checked.

mod check;
pub mod cmdline;
pub mod layer;
pub mod size;
#[cfg(test)]
mod tests;

use crate::error::Result;
use layer::Layer;
use serde::{Deserialize, Serialize};
use size::{GIB, MIB, Size};
use std::collections::BTreeMap;

/// The file that is read where the kernel's command line and the flags name none.
pub const DEFAULT_FILE: &str = "/etc/zosstorage/config.yaml";

/// How disks are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Chosen by number and kind of the disks.
    Auto,
    /// One disk, btrfs.
    Single,
    /// Two disks, a btrfs on each.
    DualIndependent,
    /// Two disks, one mirrored btrfs.
    BtrfsRaid1,
    /// An SSD as cache of an HDD, bcachefs.
    SsdHddBcachefs,
    /// An SSD and an HDD, a btrfs on each.
    SsdHddBtrfs,
    /// One cache and two backing disks with two replicas, bcachefs.
    #[serde(rename = "bcachefs_2copy")]
    Bcachefs2copy,
}

impl Topology {
    /// All of them, by name.
    pub const ALL: [(&'static str, Topology); 7] = [
        ("auto", Topology::Auto),
        ("single", Topology::Single),
        ("dual_independent", Topology::DualIndependent),
        ("btrfs_raid1", Topology::BtrfsRaid1),
        ("ssd_hdd_bcachefs", Topology::SsdHddBcachefs),
        ("ssd_hdd_btrfs", Topology::SsdHddBtrfs),
        ("bcachefs_2copy", Topology::Bcachefs2copy),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("auto", |(name, _)| name)
    }

    /// How many disks it takes; none for `auto`.
    pub fn disks(self) -> Option<usize> {
        match self {
            Topology::Auto => None,
            Topology::Single => Some(1),
            Topology::Bcachefs2copy => Some(3),
            _ => Some(2),
        }
    }
}

/// What bytes mean that no known signature explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownData {
    /// The disk holds data.
    Refuse,
    /// The disk is empty all the same.
    Allow,
}

/// Whether disks get a partition for BIOS boot loaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BiosBoot {
    /// On machines that were not started by UEFI.
    Auto,
    /// On every machine.
    Always,
    /// On none.
    Never,
}

/// Levels of logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// A subvolume of the primary file system, and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subvolume {
    /// Its name, one part of a path.
    pub name: String,
    /// Absolute path of the mount point.
    pub target: String,
}

/// A whole, checked configuration. `docs/SCHEMA.md` describes every key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Config {
    pub topology: Topology,
    pub disks: Vec<String>,
    pub devices: Devices,
    pub partitions: Partitions,
    pub filesystems: Filesystems,
    pub mounts: Mounts,
    pub fstab: Fstab,
    pub report: ReportFile,
    pub logging: Logging,
}

/// Device selection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Devices {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub allow_removable: Vec<String>,
    /// Bytes.
    pub min_size: u64,
    pub rotational: BTreeMap<String, bool>,
    pub unknown_data: UnknownData,
}

/// Partitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Partitions {
    /// Bytes.
    pub esp_size: u64,
    pub bios_boot: BiosBoot,
}

/// Options of file systems.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Filesystems {
    pub vfat: Vfat,
    pub btrfs: Btrfs,
    pub bcachefs: Bcachefs,
}

/// Options of vfat.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Vfat {
    pub mkfs_args: Vec<String>,
}

/// Options of btrfs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Btrfs {
    pub compression: Option<String>,
    pub data_profile: Option<String>,
    pub metadata_profile: Option<String>,
    pub mkfs_args: Vec<String>,
}

/// Options of bcachefs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Bcachefs {
    pub compression: Option<String>,
    pub write_back: bool,
    pub mkfs_args: Vec<String>,
}

/// Mounts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Mounts {
    pub base: String,
    pub subvolumes: Vec<Subvolume>,
}

/// fstab.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Fstab {
    pub enabled: bool,
    pub path: String,
}

/// Where the report is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct ReportFile {
    pub path: String,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Logging {
    pub level: LogLevel,
    pub to_file: bool,
    pub file: String,
    pub json: bool,
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

impl Config {
    /// The defaults with a layer over them, checked as a whole.
    pub fn new(layer: Layer) -> Result<Config> {
        let Layer { devices, partitions, filesystems, mounts, fstab, report, logging, .. } = layer;
        let layer::FilesystemsLayer { vfat, btrfs, bcachefs } = filesystems;
        let subvolumes = ["system", "etc", "modules", "vm-meta"]
            .map(|name| Subvolume { name: name.to_owned(), target: format!("/var/cache/{name}") });
        let config = Config {
            topology: layer.topology.unwrap_or(Topology::Auto),
            disks: layer.disks.unwrap_or_default(),
            devices: Devices {
                include: devices.include.unwrap_or_else(|| texts(&["/dev/sd*", "/dev/nvme*", "/dev/vd*"])),
                exclude: devices.exclude.unwrap_or_default(),
                allow_removable: devices.allow_removable.unwrap_or_default(),
                min_size: devices.min_size.unwrap_or(Size(2 * GIB)).0,
                rotational: devices.rotational.unwrap_or_default(),
                unknown_data: devices.unknown_data.unwrap_or(UnknownData::Refuse),
            },
            partitions: Partitions {
                esp_size: partitions.esp_size.unwrap_or(Size(512 * MIB)).0,
                bios_boot: partitions.bios_boot.unwrap_or(BiosBoot::Auto),
            },
            filesystems: Filesystems {
                vfat: Vfat { mkfs_args: vfat.mkfs_args.unwrap_or_default() },
                btrfs: Btrfs {
                    compression: btrfs.compression,
                    data_profile: btrfs.data_profile,
                    metadata_profile: btrfs.metadata_profile,
                    mkfs_args: btrfs.mkfs_args.unwrap_or_default(),
                },
                bcachefs: Bcachefs {
                    compression: bcachefs.compression,
                    write_back: bcachefs.write_back.unwrap_or(false),
                    mkfs_args: bcachefs.mkfs_args.unwrap_or_default(),
                },
            },
            mounts: Mounts {
                base: mounts.base.unwrap_or_else(|| "/var/mounts".to_owned()),
                subvolumes: mounts.subvolumes.unwrap_or_else(|| subvolumes.to_vec()),
            },
            fstab: Fstab {
                enabled: fstab.enabled.unwrap_or(false),
                path: fstab.path.unwrap_or_else(|| "/etc/fstab".to_owned()),
            },
            report: ReportFile { path: report.path.unwrap_or_else(|| "/run/zosstorage/state.json".to_owned()) },
            logging: Logging {
                level: logging.level.unwrap_or(LogLevel::Info),
                to_file: logging.to_file.unwrap_or(false),
                file: logging.file.unwrap_or_else(|| "/run/zosstorage/zosstorage.log".to_owned()),
                json: logging.json.unwrap_or(false),
            },
        };
        check::check(&config)?;
        Ok(config)
    }
}
