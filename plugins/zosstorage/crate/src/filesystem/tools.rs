//! What this machine brings: programs, and file systems of the kernel.

use super::superblock::Kind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Programs that may be called.
pub const PROGRAMS: [&str; 5] = ["mkfs.vfat", "mkfs.btrfs", "bcachefs", "modprobe", "udevadm"];
/// The search path where the environment has none.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whether the kernel has a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// It is there.
    Ready,
    /// There is a module of it that is not loaded.
    Module,
    /// There is none.
    Missing,
}

/// What a machine brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tools {
    /// Programs that were found.
    pub programs: BTreeSet<&'static str>,
    /// File systems of the kernel.
    pub filesystems: BTreeMap<Kind, Support>,
}

impl Tools {
    /// Support of one file system.
    pub fn support(&self, kind: Kind) -> Support {
        self.filesystems.get(&kind).copied().unwrap_or(Support::Missing)
    }
}

/// Finds a program on the search path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| SEARCH_PATH.to_owned());
    path.split(':').map(|folder| Path::new(folder).join(program)).find(|file| {
        file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    })
}

/// Looks for all programs and file systems. `proc`: `/proc`.
pub fn look(proc: &Path) -> Tools {
    let programs = PROGRAMS.into_iter().filter(|program| find(program).is_some()).collect();
    let known = std::fs::read_to_string(proc.join("filesystems")).unwrap_or_default();
    let release = std::fs::read_to_string(proc.join("sys/kernel/osrelease")).unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release.trim());
    let list = std::fs::read_to_string(modules.join("modules.dep")).unwrap_or_default();
    let filesystems =
        [Kind::Btrfs, Kind::Bcachefs].into_iter().map(|kind| (kind, support(kind.name(), &known, &list))).collect();
    Tools { programs, filesystems }
}

/// `known`: text of `/proc/filesystems`. `list`: text of `modules.dep`.
fn support(name: &str, known: &str, list: &str) -> Support {
    if known.lines().any(|line| line.split_whitespace().last() == Some(name)) {
        return Support::Ready;
    }
    let is_module = |line: &str| {
        let file = line.split(':').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        file.split('.').next() == Some(name)
    };
    if list.lines().any(is_module) { Support::Module } else { Support::Missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_ready_modules_or_missing() {
        let known = "nodev\tsysfs\n\text4\n\tbtrfs\n";
        let list = "kernel/fs/bcachefs/bcachefs.ko.xz: kernel/lib/raid6/raid6_pq.ko.xz\nkernel/fs/xbtrfs.ko:\n";
        assert_eq!(support("btrfs", known, list), Support::Ready);
        assert_eq!(support("bcachefs", known, list), Support::Module);
        assert_eq!(support("btrfs", "", list), Support::Missing);
        assert_eq!(support("ext", known, ""), Support::Missing);
    }
}
