//! Who uses a disk: mounts, swap, and devices that are made of it.

use super::sysfs;
use crate::mount::mountinfo::Mount;
use std::path::Path;

/// Uses of one disk and its partitions, sorted. `swaps`: text of `/proc/swaps`.
pub fn uses(sys: &Path, name: &str, mounts: &[Mount], swaps: &str) -> Vec<String> {
    let mut found = Vec::new();
    let own = sysfs::numbers(sys, name);
    for mount in mounts {
        // btrfs and bcachefs have numbers of their own; there the source tells, or several of them.
        let by_number = own.iter().any(|(number, _)| *number == mount.device);
        let by_source = mount.source.split(':').any(|source| {
            source.strip_prefix("/dev/").is_some_and(|source| own.iter().any(|(_, name)| name == source))
        });
        if by_number || by_source {
            found.push(format!("mounted at {}", mount.target));
        }
    }
    for line in swaps.lines().skip(1) {
        let device = line.split_whitespace().next().and_then(|path| path.strip_prefix("/dev/"));
        if device.is_some_and(|device| own.iter().any(|(_, name)| name == device)) {
            found.push("used as swap".to_owned());
        }
    }
    found.extend(sysfs::holders(sys, name).into_iter().map(|holder| format!("held by {holder}")));
    found.sort();
    found.dedup();
    found
}
