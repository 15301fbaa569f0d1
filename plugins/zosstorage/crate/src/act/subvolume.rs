//! Makes a subvolume that is missing: btrfs by the system call, bcachefs by its program.

use super::run::run;
use crate::error::{Error, Result};
use crate::filesystem::command;
use crate::filesystem::superblock::Kind;
use crate::plan::steps::Outcome;
use rustix::ioctl::{Opcode, Setter, ioctl, opcode};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Inode number of the root of a btrfs subvolume (BTRFS_FIRST_FREE_OBJECTID).
const BTRFS_SUBVOLUME_ROOT: u64 = 256;

/// `struct btrfs_ioctl_vol_args` (linux/btrfs.h): a name that ends with NUL; `fd` is for snapshots.
#[repr(C)]
struct VolumeArguments {
    fd: i64,
    name: [u8; 4088],
}

/// `BTRFS_IOC_SUBVOL_CREATE` is `_IOW(0x94, 14, struct btrfs_ioctl_vol_args)`.
const SUBVOL_CREATE: Opcode = opcode::write::<VolumeArguments>(0x94, 14);

/// Makes the subvolume `name` on the file system that is mounted whole at `whole`, unless it is there.
pub fn subvolume(kind: Kind, whole: &Path, name: &str) -> Result<Outcome> {
    let path = whole.join(name);
    match std::fs::symlink_metadata(&path) {
        Ok(found) if !found.is_dir() => Err(Error::Mount(format!("{} is there and no subvolume", path.display()))),
        Ok(found) if kind == Kind::Btrfs && found.ino() != BTRFS_SUBVOLUME_ROOT => {
            Err(Error::Mount(format!("{} is a plain folder, expected a subvolume", path.display())))
        }
        Ok(_) => Ok(Outcome::AlreadyRight),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match kind {
                Kind::Btrfs => create(whole, name)
                    .map_err(|error| Error::Act { what: format!("subvolume {}: {error}", path.display()) })?,
                _ => run(&command::bcachefs_subvolume(&path))?,
            }
            Ok(Outcome::Done)
        }
        Err(error) => Err(Error::read(path)(error)),
    }
}

fn create(whole: &Path, name: &str) -> std::io::Result<()> {
    let mut arguments = VolumeArguments { fd: 0, name: [0; 4088] };
    if name.len() >= arguments.name.len() {
        return Err(ErrorKind::InvalidFilename.into());
    }
    arguments.name[..name.len()].copy_from_slice(name.as_bytes());
    let folder = File::open(whole)?;
    // SAFETY: the opcode says how large the structure is that it reads, and it writes to no memory of this process.
    unsafe { ioctl(&folder, Setter::<SUBVOL_CREATE, VolumeArguments>::new(arguments)) }.map_err(Into::into)
}
