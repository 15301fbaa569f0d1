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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount::mountinfo;
    use std::fs;

    #[test]
    fn mounts_swap_and_holders_of_a_disk_or_its_partitions() {
        let sys = std::env::temp_dir().join(format!("zosstorage-usage-{}", std::process::id()));
        let disk = sys.join("block/sda");
        for (folder, number) in [("", "8:0"), ("sda1", "8:1"), ("sda2", "8:2"), ("sda10", "8:10")] {
            fs::create_dir_all(disk.join(folder).join("holders")).unwrap();
            fs::write(disk.join(folder).join("dev"), number).unwrap();
            fs::write(disk.join(folder).join("partition"), "").unwrap();
        }
        let swaps = |device: &str| format!("Filename\tType\tSize\n{device} partition 1024\n");
        let line = |number: &str, source: &str| format!("36 35 {number} / /mnt rw - any {source} rw\n");
        let cases = [
            (line("8:1", "UUID=1"), String::new(), "mounted at /mnt"),
            (line("0:40", "/dev/sda2"), String::new(), "mounted at /mnt"),
            (line("0:41", "/dev/sdb1:/dev/sda10"), String::new(), "mounted at /mnt"),
            (line("8:16", "/dev/sdb1"), String::new(), ""),
            (line("8:100", "/dev/sda100"), String::new(), ""),
            (String::new(), swaps("/dev/sda2"), "used as swap"),
            (String::new(), swaps("/dev/sda3"), ""),
        ];
        for (mounts, swaps, expected) in cases {
            let found = uses(&sys, "sda", &mountinfo::parse(&mounts), &swaps);
            assert_eq!(found.join(", "), expected, "{mounts}{swaps}");
        }
        fs::create_dir_all(disk.join("sda2/holders/dm-0")).unwrap();
        assert_eq!(uses(&sys, "sda", &[], ""), ["held by dm-0"]);
        fs::remove_dir_all(&sys).unwrap();
    }
}
