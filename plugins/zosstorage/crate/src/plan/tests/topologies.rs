//! Which plan disks make, and what it is the next time.
use super::*;

const CASES: [(&str, &[bool], &str); 14] = [
    ("auto", &[false], "single"),
    ("auto", &[true], "single"),
    ("auto", &[false, false], "dual_independent"),
    ("auto", &[true, true], "dual_independent"),
    ("auto", &[true, false], "ssd_hdd_bcachefs"),
    ("auto", &[true, false, true], "bcachefs_2copy"),
    ("single", &[true], "single"),
    ("dual_independent", &[true, false], "dual_independent"),
    ("btrfs_raid1", &[false, false], "btrfs_raid1"),
    ("ssd_hdd_btrfs", &[true, false], "ssd_hdd_btrfs"),
    ("ssd_hdd_bcachefs", &[false, true], "ssd_hdd_bcachefs"),
    ("bcachefs_2copy", &[true, true, false], "bcachefs_2copy"),
    ("btrfs_raid1", &[true, true], "btrfs_raid1"),
    ("btrfs_raid1", &[true, false], "btrfs_raid1"),
];

#[test]
fn topologies_of_empty_disks_and_their_reruns() {
    for (asked, kinds, expected) in CASES {
        for firmware in [Firmware::Bios, Firmware::Uefi] {
            let config = config(&format!("topology: {asked}\n"));
            let before = Observed { firmware, ..observed(blanks(kinds)) };
            let plan = decide(&config, &before).unwrap_or_else(|error| panic!("{asked} {kinds:?}: {error}"));
            assert_eq!((plan.topology.name(), plan.state), (expected, State::Fresh));
            assert_eq!(decide(&config, &before).unwrap(), plan, "the same input, the same plan");
            let count = if firmware == Firmware::Bios { 3 } else { 2 };
            assert!(plan.disks.iter().all(|disk| disk.partitions.len() == count));

            let mut disks = made(&plan);
            // Names may be others after a restart; roles may not.
            let paths: Vec<_> = disks.iter().map(|disk| disk.identity.path.clone()).rev().collect();
            let roles: Vec<_> = plan.disks.iter().map(|one| (one.disk.identity.serial.clone(), one.role)).collect();
            for (disk, path) in disks.iter_mut().zip(paths) {
                disk.identity.path = path;
            }
            disks.sort_by(|a, b| a.identity.path.cmp(&b.identity.path));
            let after = Observed { firmware, ..observed(disks) };
            let again = decide(&config, &after).unwrap_or_else(|error| panic!("{asked} {kinds:?} again: {error}"));
            assert_eq!((again.state, again.topology), (State::Provisioned, plan.topology));
            let mut found: Vec<_> =
                again.disks.iter().map(|one| (one.disk.identity.serial.clone(), one.role)).collect();
            let mut roles = roles;
            if plan.filesystems.len() == 1 {
                found.sort_by_key(|(serial, _)| serial.clone());
                roles.sort_by_key(|(serial, _)| serial.clone());
            }
            assert_eq!(found, roles, "{asked} {kinds:?}");
        }
    }
}

#[test]
fn named_disks_have_roles_in_their_order() {
    let config = config("topology: ssd_hdd_btrfs\ndisks: [/dev/vdb, /dev/vda]\n");
    let plan = decide(&config, &observed(blanks(&[false, false]))).unwrap();
    let paths: Vec<_> = plan.disks.iter().map(|one| (one.disk.path(), one.role)).collect();
    assert_eq!(paths, [("/dev/vdb".to_owned(), Role::Primary), ("/dev/vda".to_owned(), Role::Secondary)]);
    let error = decide(&config, &observed(blanks(&[false]))).unwrap_err();
    assert_eq!((error.class(), error.to_string().contains("/dev/vdb")), ("no_disks", true));
}

#[test]
fn disks_that_are_no_part_of_a_whole_topology_are_left_alone() {
    let config = config("");
    let plan = decide(&config, &observed(blanks(&[false]))).unwrap();
    let mut disks = made(&plan);
    disks.push(blank("/dev/vdb", false));
    let again = decide(&config, &observed(disks)).unwrap();
    assert_eq!((again.state, again.disks.len()), (State::Provisioned, 1));
    assert!(again.notes[0].contains("/dev/vdb"), "{:?}", again.notes);
}
