//! Which partitions a disk gets, and where they lie: all borders are multiples of 1 MiB.

use super::gpt;
use super::guid::Guid;
use crate::config::size::MIB;
use serde::Serialize;

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Space for a BIOS boot loader.
    BiosBoot,
    /// EFI system partition.
    Esp,
    /// A data file system, or a part of one.
    Data,
    /// The cache of a data file system.
    Cache,
}

impl Purpose {
    /// Name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::BiosBoot | Purpose::Esp => "zosboot",
            Purpose::Data => "zosdata",
            Purpose::Cache => "zoscache",
        }
    }

    /// Type GUID: BIOS boot of GRUB, ESP of UEFI, and Linux file system data of the Discoverable Partitions Specification.
    pub fn type_guid(self) -> Guid {
        let bytes = match self {
            Purpose::BiosBoot => *b"Hah!IdontNeedEFI",
            Purpose::Esp => {
                [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b]
            }
            Purpose::Data | Purpose::Cache => {
                [0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4]
            }
        };
        Guid(bytes)
    }

    /// What an entry of a table is for, if it is one of ours.
    pub fn of(entry: &gpt::Entry) -> Option<Purpose> {
        [Purpose::BiosBoot, Purpose::Esp, Purpose::Data, Purpose::Cache]
            .into_iter()
            .find(|purpose| purpose.name() == entry.name && purpose.type_guid() == entry.type_guid)
    }
}

/// Names in a table that only we give.
pub const NAMES: [&str; 3] = ["zosboot", "zosdata", "zoscache"];

/// Attribute bit, of those left to each type, on the data partition of the primary: device names may be others after a
/// restart, and then still the same file system is the primary one.
pub const PRIMARY: u64 = 1 << 48;

/// A partition to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// What it is for.
    pub purpose: Purpose,
    /// Start, in bytes.
    pub start: u64,
    /// Length, in bytes.
    pub length: u64,
}

/// Size of the partition for BIOS boot loaders, in bytes.
const BIOS_BOOT: u64 = MIB;
/// Smallest data partition, in bytes: less is no use to btrfs.
const SMALLEST_DATA: u64 = 256 * MIB;

/// The partitions of a disk in order; none if the disk is too small. `last`: `Data` or `Cache`.
pub fn slots(size: u64, sector: u32, bios_boot: bool, esp_size: u64, last: Purpose) -> Option<Vec<Slot>> {
    let usable = gpt::places(size, sector)?.usable;
    let end = (usable.1 + 1) * u64::from(sector) / MIB * MIB;
    let mut start = MIB;
    let mut slots = Vec::new();
    let mut add = |purpose, length: u64| {
        slots.push(Slot { purpose, start, length });
        start += length.next_multiple_of(MIB);
    };
    if bios_boot {
        add(Purpose::BiosBoot, BIOS_BOOT);
    }
    add(Purpose::Esp, esp_size / MIB * MIB);
    let length = end.checked_sub(start).filter(|length| *length >= SMALLEST_DATA)?;
    slots.push(Slot { purpose: last, start, length });
    Some(slots)
}

/// Starts of all partitions that any layout of this configuration has, in bytes.
pub fn possible_starts(esp_size: u64) -> [u64; 4] {
    let esp = esp_size / MIB * MIB;
    [MIB, 2 * MIB, MIB + esp, 2 * MIB + esp]
}
