//! The programs that are called, as data: `mkfs` of each kind, subvolumes of bcachefs, drivers, udev.

use crate::config::{Config, Topology};
use std::path::{Path, PathBuf};

/// Label of every EFI system partition.
pub const LABEL_BOOT: &str = "ZOSBOOT";
/// Label of every data file system.
pub const LABEL_DATA: &str = "ZOSDATA";

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Command {
    /// Program.
    pub program: &'static str,
    /// Arguments.
    pub args: Vec<String>,
}

impl Command {
    fn new(program: &'static str, args: &[&str]) -> Command {
        Command { program, args: args.iter().map(|one| (*one).to_owned()).collect() }
    }

    fn with(mut self, more: impl IntoIterator<Item = String>) -> Command {
        self.args.extend(more);
        self
    }

    /// For people.
    pub fn text(&self) -> String {
        std::iter::once(self.program).chain(self.args.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// FAT32 on an EFI system partition.
pub fn mkfs_vfat(config: &Config, device: &Path) -> Command {
    Command::new("mkfs.vfat", &["-F", "32", "-n", LABEL_BOOT])
        .with(config.filesystems.vfat.mkfs_args.clone())
        .with([path_text(device)])
}

/// btrfs on one device, or a mirrored one on two. Without `-f` mkfs itself refuses where it finds something; `-K` leaves
/// unused blocks as they are, which on an empty disk gains nothing and may take minutes.
pub fn mkfs_btrfs(config: &Config, devices: &[PathBuf]) -> Command {
    let options = &config.filesystems.btrfs;
    let mirrored = (devices.len() > 1).then(|| "raid1".to_owned());
    let mut args = Vec::new();
    for (flag, profile) in [("-d", &options.data_profile), ("-m", &options.metadata_profile)] {
        if let Some(profile) = profile.clone().or(mirrored.clone()) {
            args.extend([flag.to_owned(), profile]);
        }
    }
    Command::new("mkfs.btrfs", &["-q", "-K", "-L", LABEL_DATA])
        .with(args)
        .with(options.mkfs_args.clone())
        .with(devices.iter().map(|device| path_text(device)))
}

/// One bcachefs of a cache and its backing devices. Options of a device stand before it and last until they are said anew.
///
/// The cache has durability 0, so no replica counts on it: losing it loses nothing. With `write_back` writes go to it
/// first, so it has to count, and losing it loses what was not moved to the backing device yet.
pub fn format_bcachefs(config: &Config, topology: Topology, cache: &Path, backing: &[PathBuf]) -> Command {
    let options = &config.filesystems.bcachefs;
    let foreground = if options.write_back { "cache" } else { "backing" };
    let replicas = if topology == Topology::Bcachefs2copy { "2" } else { "1" };
    let mut args = Vec::new();
    if let Some(compression) = &options.compression {
        args.push(format!("--compression={compression}"));
    }
    args.extend([
        format!("--foreground_target={foreground}"),
        "--background_target=backing".to_owned(),
        "--metadata_target=backing".to_owned(),
        "--promote_target=cache".to_owned(),
    ]);
    args.extend(options.mkfs_args.clone());
    let durability = if options.write_back { "1" } else { "0" };
    args.extend(["--label=cache.0".to_owned(), format!("--durability={durability}"), path_text(cache)]);
    for (index, device) in backing.iter().enumerate() {
        args.extend([format!("--label=backing.{index}"), "--durability=1".to_owned(), path_text(device)]);
    }
    Command::new("bcachefs", &["format", "--quiet", "--fs_label", LABEL_DATA])
        .with([format!("--replicas={replicas}")])
        .with(args)
}

/// A new subvolume of bcachefs.
pub fn bcachefs_subvolume(path: &Path) -> Command {
    Command::new("bcachefs", &["subvolume", "create"]).with([path_text(path)])
}

/// Loads a driver.
pub fn modprobe(module: &str) -> Command {
    Command::new("modprobe", &["-q", module])
}

/// Waits until udev has seen everything, 30 seconds at most.
pub fn settle() -> Command {
    Command::new("udevadm", &["settle", "--timeout=30"])
}
