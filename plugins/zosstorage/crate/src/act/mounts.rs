//! Mounts what is not mounted yet, makes subvolumes that are missing, writes the fstab.

use super::Journal;
use super::subvolume::subvolume;
use crate::config::Config;
use crate::device::select::Roots;
use crate::error::{Error, Result};
use crate::mount::{self, fstab, mountinfo};
use crate::plan::Plan;
use crate::plan::steps::{Outcome, Step};
use crate::report::write_atomically;
use std::path::Path;

/// Does all mounts of a plan whose file systems are there.
pub fn mount_all(config: &Config, roots: &Roots, plan: &Plan, journal: &mut Journal) -> Result<()> {
    let no_uuid = || Error::Act { what: "a file system without a UUID".to_owned() };
    let before = mount::read(&roots.proc)?;
    for (index, filesystem) in plan.filesystems.iter().enumerate() {
        let target = mount::top(config, filesystem.uuid.as_deref().ok_or_else(no_uuid)?);
        journal.step(Step::Mount(index), || {
            if mountinfo::at(&before, &target).is_some() {
                return Ok(Outcome::AlreadyRight);
            }
            mount::mount_top(config, filesystem, &target)?;
            Ok(Outcome::Done)
        })?;
    }
    let Some(primary) = plan.primary() else { return Ok(()) };
    let uuid = primary.uuid.as_deref().ok_or_else(no_uuid)?;
    let whole = mount::top(config, uuid);
    for (index, one) in config.mounts.subvolumes.iter().enumerate() {
        journal.step(Step::Subvolume(index), || subvolume(primary.kind, Path::new(&whole), &one.name))?;
        journal.step(Step::MountSubvolume(index), || {
            if mountinfo::at(&before, &one.target).is_some() {
                return Ok(Outcome::AlreadyRight);
            }
            mount::mount_subvolume(config, primary, &whole, &one.name, &one.target)?;
            Ok(Outcome::Done)
        })?;
    }
    if config.fstab.enabled {
        journal.step(Step::Fstab, || {
            write_fstab(Path::new(&config.fstab.path), &fstab::text(config, primary.kind, uuid))
        })?;
    }
    Ok(())
}

fn write_fstab(path: &Path, text: &str) -> Result<Outcome> {
    match std::fs::read_to_string(path) {
        Ok(there) if there == text => return Ok(Outcome::AlreadyRight),
        Ok(there) if there.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) => {
            tracing::warn!("{} had other entries, which are gone now:\n{there}", path.display());
        }
        _ => {}
    }
    write_atomically(path, text.as_bytes(), 0o644)?;
    Ok(Outcome::Done)
}
