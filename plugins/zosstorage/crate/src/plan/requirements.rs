//! What a plan needs of the machine: programs, drivers, and mount points that nothing else occupies.

use super::{Observed, Plan, PlannedFilesystem, State};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::filesystem::superblock::Kind;
use crate::filesystem::tools::Support;
use crate::mount::{self, mountinfo};

pub(super) fn check(plan: &Plan, config: &Config, observed: &Observed) -> Result<()> {
    let missing = missing(plan, observed);
    if !missing.is_empty() {
        return Err(Error::Missing(missing));
    }
    occupied(plan, config, observed)
}

fn missing(plan: &Plan, observed: &Observed) -> Vec<String> {
    let tools = &observed.tools;
    let mut missing = Vec::new();
    let mut need = |program: &str, package: &str, what: &str| {
        if !tools.programs.contains(program) {
            missing.push(format!("program {program} (package {package}), which {what}"));
        }
    };
    let mut kinds: Vec<Kind> = plan.filesystems.iter().map(|one| one.kind).collect();
    kinds.dedup();
    if plan.state == State::Fresh {
        need("mkfs.vfat", "dosfstools", "makes the EFI system partition");
    }
    for kind in &kinds {
        if *kind == Kind::Bcachefs {
            need("bcachefs", "bcachefs-tools", "makes bcachefs and its subvolumes");
        } else if plan.state == State::Fresh {
            need("mkfs.btrfs", "btrfs-progs", "makes btrfs");
        }
        if tools.support(*kind) == Support::Module {
            need("modprobe", "kmod", "loads the driver of the file system");
        }
    }
    for kind in kinds {
        if tools.support(kind) == Support::Missing {
            let hint = if kind == Kind::Bcachefs {
                " (it left mainline Linux in 6.18; topology ssd_hdd_btrfs needs none)"
            } else {
                ""
            };
            missing.push(format!("file system {} in this kernel{hint}", kind.name()));
        }
    }
    missing
}

fn occupied(plan: &Plan, config: &Config, observed: &Observed) -> Result<()> {
    let Some(primary) = plan.primary() else { return Ok(()) };
    let mut wanted: Vec<(String, &PlannedFilesystem, String)> = Vec::new();
    for filesystem in &plan.filesystems {
        if let Some(uuid) = &filesystem.uuid {
            wanted.push((mount::top(config, uuid), filesystem, "/".to_owned()));
        }
    }
    for one in &config.mounts.subvolumes {
        wanted.push((one.target.clone(), primary, format!("/{}", one.name)));
    }
    for (target, filesystem, root) in wanted {
        let Some(there) = mountinfo::at(&observed.mounts, &target) else { continue };
        if plan.state == State::Fresh || !mount::is_of(there, filesystem, &root) {
            let what = format!("{}, {} of it", there.source, there.root);
            return Err(Error::Mount(format!("nothing was changed: something else is mounted at {target} ({what})")));
        }
    }
    Ok(())
}
