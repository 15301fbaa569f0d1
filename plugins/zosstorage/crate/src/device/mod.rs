//! The disks of a machine: what sysfs says of them, who uses them, and what is on them.

pub mod media;
pub mod pattern;
pub mod probe;
pub mod select;
pub mod signatures;
pub mod sysfs;
pub mod usage;

use crate::filesystem::superblock::Superblock;
use crate::partition::gpt::Copies;
use probe::Findings;
use serde::Serialize;
use std::path::PathBuf;

/// How a disk is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Transport {
    Nvme,
    Virtio,
    Sata,
    Sas,
    Usb,
    Scsi,
    Other,
}

/// A whole disk, as sysfs describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `/dev/vda`.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Bytes of a logical sector.
    pub sector: u32,
    /// A hard disk, not an SSD; a configuration may have said so.
    pub rotational: bool,
    /// Model, where there is one.
    pub model: Option<String>,
    /// Serial number, where there is one.
    pub serial: Option<String>,
    /// How it is attached.
    pub transport: Transport,
    /// The kernel calls it removable.
    pub removable: bool,
    /// It cannot be written.
    pub read_only: bool,
}

/// A disk with all that was seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// What it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Who uses it or a partition of it: `mounted at /data`, `held by dm-0`; empty where nobody does.
    pub uses: Vec<String>,
    /// What is on it.
    pub findings: Findings,
    /// Its GPT, and what is in the partitions, by number.
    pub table: Option<TableState>,
}

/// A partition table and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableState {
    /// Both copies.
    pub copies: Copies,
    /// Superblocks by partition number, where one of ours was found.
    pub superblocks: Vec<(u32, Superblock)>,
}

impl TableState {
    /// Whether any partition has one of our names: then the disk is judged as a whole, never as an empty one.
    pub fn is_ours(&self) -> bool {
        let names = crate::partition::layout::NAMES;
        self.copies.table.entries.iter().any(|(_, entry)| names.contains(&entry.name.as_str()))
    }
}

impl Disk {
    /// Its path, for messages.
    pub fn path(&self) -> String {
        self.identity.path.display().to_string()
    }

    /// Whether its partition table is one of ours.
    pub fn is_ours(&self) -> bool {
        self.table.as_ref().is_some_and(TableState::is_ours)
    }
}
