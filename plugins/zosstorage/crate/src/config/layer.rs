//! One layer of configuration: any key may be missing. Layers are laid over each other key by key.

use super::size::Size;
use super::{BiosBoot, LogLevel, Subvolume, Topology, UnknownData};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Largest configuration file, in bytes.
const LARGEST: usize = 256 * 1024;

/// Makes a struct of optional values whose method `over` takes each from `self`, else from the layer below.
macro_rules! layer {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:tt($type:ty),)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, Clone, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* #[serde(default)] pub $field: layer!(@type $kind $type),)* }
        impl $name {
            /// This layer where it says something, else the one below.
            pub fn over(self, below: Self) -> Self {
                Self { $($field: layer!(@over $kind self.$field, below.$field),)* }
            }
        }
    };
    (@type value $type:ty) => { Option<$type> };
    (@type layer $type:ty) => { $type };
    (@over value $top:expr, $below:expr) => { $top.or($below) };
    (@over layer $top:expr, $below:expr) => { $top.over($below) };
}

layer!(
    /// A configuration file as it was read. Keys are described in `docs/SCHEMA.md`.
    Layer {
        /// Format: 1.
        version: value(u32),
        /// Which topology.
        topology: value(Topology),
        /// Devices in the order of their roles.
        disks: value(Vec<String>),
        /// Device selection.
        devices: layer(DevicesLayer),
        /// Partitions.
        partitions: layer(PartitionsLayer),
        /// Options of file systems.
        filesystems: layer(FilesystemsLayer),
        /// Mounts.
        mounts: layer(MountsLayer),
        /// fstab.
        fstab: layer(FstabLayer),
        /// Report.
        report: layer(ReportLayer),
        /// Logging.
        logging: layer(LoggingLayer),
    }
);
layer!(
    /// Key `devices`.
    DevicesLayer {
        /// Patterns of devices that may be used.
        include: value(Vec<String>),
        /// Patterns of devices that may not.
        exclude: value(Vec<String>),
        /// Patterns of removable devices that may be used.
        allow_removable: value(Vec<String>),
        /// Smallest disk.
        min_size: value(Size),
        /// Patterns with whether such devices rotate, in place of what the kernel says.
        rotational: value(BTreeMap<String, bool>),
        /// What bytes without a known signature mean.
        unknown_data: value(UnknownData),
    }
);
layer!(
    /// Key `partitions`.
    PartitionsLayer {
        /// Size of the EFI system partition.
        esp_size: value(Size),
        /// Whether there is a partition for BIOS boot loaders.
        bios_boot: value(BiosBoot),
    }
);
layer!(
    /// Key `filesystems`.
    FilesystemsLayer {
        /// vfat of the EFI system partition.
        vfat: layer(VfatLayer),
        /// btrfs.
        btrfs: layer(BtrfsLayer),
        /// bcachefs.
        bcachefs: layer(BcachefsLayer),
    }
);
layer!(
    /// Key `filesystems.vfat`.
    VfatLayer {
        /// Further arguments of mkfs.vfat.
        mkfs_args: value(Vec<String>),
    }
);
layer!(
    /// Key `filesystems.btrfs`.
    BtrfsLayer {
        /// Mount option `compress`.
        compression: value(String),
        /// Profile of data.
        data_profile: value(String),
        /// Profile of metadata.
        metadata_profile: value(String),
        /// Further arguments of mkfs.btrfs.
        mkfs_args: value(Vec<String>),
    }
);
layer!(
    /// Key `filesystems.bcachefs`.
    BcachefsLayer {
        /// Option `compression`.
        compression: value(String),
        /// Writes go to the cache first.
        write_back: value(bool),
        /// Further arguments of bcachefs format.
        mkfs_args: value(Vec<String>),
    }
);
layer!(
    /// Key `mounts`.
    MountsLayer {
        /// Folder of the file systems' mount points.
        base: value(String),
        /// Subvolumes of the primary, and where they are mounted.
        subvolumes: value(Vec<Subvolume>),
    }
);
layer!(
    /// Key `fstab`.
    FstabLayer {
        /// Whether it is written.
        enabled: value(bool),
        /// Where it is.
        path: value(String),
    }
);
layer!(
    /// Key `report`.
    ReportLayer {
        /// Where it is.
        path: value(String),
    }
);
layer!(
    /// Key `logging`.
    LoggingLayer {
        /// Least important level that is logged.
        level: value(LogLevel),
        /// Whether there is a log file, too.
        to_file: value(bool),
        /// Where it is.
        file: value(String),
        /// JSON lines in place of text.
        json: value(bool),
    }
);

/// Reads one file's text. Unknown keys and values of another type are errors that name the line.
pub fn parse(text: &str, place: &str) -> Result<Layer> {
    let fail = |what: String| Error::Config { place: place.to_owned(), what };
    if text.len() > LARGEST {
        return Err(fail(format!("{} bytes, expected at most {LARGEST}", text.len())));
    }
    // "yes" and "on" are text, as YAML 1.2 and the JSON Schema have it.
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    let layer: Layer = serde_saphyr::from_str_with_options(text, options)
        .map_err(|problem| fail(problem.to_string().trim().to_owned()))?;
    match layer.version {
        Some(1) => Ok(layer),
        Some(other) => Err(fail(format!("version is {other}, this zosstorage reads 1"))),
        None => Err(fail("version is missing, expected version: 1".to_owned())),
    }
}
