//! Mounts: which are wanted, whether they are there, and making them.

pub mod fstab;
pub mod mountinfo;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::filesystem::superblock::Kind;
use crate::plan::PlannedFilesystem;
use mountinfo::Mount;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Where a file system as a whole is mounted.
pub fn top(config: &Config, uuid: &str) -> String {
    format!("{}/{uuid}", config.mounts.base)
}

/// Whether a mount shows that part of that file system. The source may be any of its devices, or several of them.
pub fn is_of(mount: &Mount, filesystem: &PlannedFilesystem, root: &str) -> bool {
    let is_member = |source: &str| filesystem.devices.iter().any(|device| device.as_path() == Path::new(source));
    mount.kind == filesystem.kind.name() && mount.root == root && mount.source.split(':').all(is_member)
}

/// Reads this process' mounts.
pub fn read(proc: &Path) -> Result<Vec<Mount>> {
    let path = proc.join("self/mountinfo");
    let text = std::fs::read(&path).map_err(Error::read(&path))?;
    Ok(mountinfo::parse(&String::from_utf8_lossy(&text)))
}

/// Options of the top mount of a file system, as `mount -o` has them.
pub fn top_options(config: &Config, kind: Kind) -> String {
    match (kind, &config.filesystems.btrfs.compression) {
        (Kind::Btrfs, None) => "subvolid=5".to_owned(),
        (Kind::Btrfs, Some(method)) => format!("subvolid=5,compress={method}"),
        _ => String::new(),
    }
}

/// Options of a subvolume's mount, as `mount -o` and fstab have them.
pub fn subvolume_options(config: &Config, kind: Kind, name: &str) -> String {
    match (kind, &config.filesystems.btrfs.compression) {
        (Kind::Btrfs, None) => format!("subvol={name},noatime"),
        (Kind::Btrfs, Some(method)) => format!("subvol={name},noatime,compress={method}"),
        _ => format!("X-mount.subdir={name},noatime"),
    }
}

fn failed(what: &str, target: &str, errno: rustix::io::Errno) -> Error {
    let reason = std::io::Error::from(errno);
    Error::Mount(format!("{what} cannot be mounted at {target}: {reason}; the kernel's log may say more (dmesg)"))
}

fn make_folder(target: &str) -> Result<()> {
    std::fs::create_dir_all(target).map_err(Error::write(target))
}

/// The devices of a UUID as they are now: the source of a mount is the UUID, and is resolved at that moment.
fn source(filesystem: &PlannedFilesystem) -> Result<(PathBuf, String)> {
    let first = filesystem.devices.first().ok_or_else(|| Error::Mount("a file system without devices".to_owned()))?;
    let all: Vec<String> = filesystem.devices.iter().map(|one| one.display().to_string()).collect();
    Ok(match filesystem.kind {
        // A mount of one device finds the others by this option, without a scan before it.
        Kind::Btrfs => (first.clone(), all.iter().map(|one| format!(",device={one}")).collect()),
        // The kernel takes all devices of a bcachefs as one source, with colons between them.
        _ => (PathBuf::from(all.join(":")), String::new()),
    })
}

fn data(options: String) -> Result<CString> {
    CString::new(options).map_err(|_| Error::Mount("options of a mount hold a zero byte".to_owned()))
}

/// Mounts a file system as a whole.
pub fn mount_top(config: &Config, filesystem: &PlannedFilesystem, target: &str) -> Result<()> {
    make_folder(target)?;
    let (device, members) = source(filesystem)?;
    let options = data(format!("{}{members}", top_options(config, filesystem.kind)))?;
    mount(&device, target, filesystem.kind.name(), MountFlags::empty(), options.as_c_str())
        .map_err(|errno| failed(&format!("{} {}", filesystem.kind.name(), device.display()), target, errno))
}

/// Mounts a subvolume; of bcachefs, which cannot mount a part, it is bound from the mount of the whole, as libmount does
/// for `X-mount.subdir`.
pub fn mount_subvolume(
    config: &Config,
    filesystem: &PlannedFilesystem,
    whole: &str,
    name: &str,
    target: &str,
) -> Result<()> {
    make_folder(target)?;
    if filesystem.kind == Kind::Btrfs {
        let (device, members) = source(filesystem)?;
        let compress = config.filesystems.btrfs.compression.as_ref().map(|one| format!(",compress={one}"));
        let options = data(format!("subvol={name}{}{members}", compress.unwrap_or_default()))?;
        return mount(&device, target, "btrfs", MountFlags::NOATIME, options.as_c_str())
            .map_err(|errno| failed(&format!("subvolume {name} of {}", device.display()), target, errno));
    }
    let from = format!("{whole}/{name}");
    mount_bind(&from, target).map_err(|errno| failed(&from, target, errno))?;
    mount_remount(target, MountFlags::BIND | MountFlags::NOATIME, c"").map_err(|errno| {
        // A mount without its options is no mount: the next run would take it for right.
        let _ = unmount(target, UnmountFlags::empty());
        failed(&from, target, errno)
    })
}
