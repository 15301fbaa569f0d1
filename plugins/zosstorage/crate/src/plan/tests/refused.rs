//! What ends before any change, and in which words.
use super::*;

#[test]
fn what_no_topology_is_made_of() {
    let cases: [(&str, &[bool]); 8] = [
        ("auto", &[false, false, false]),
        ("auto", &[true, true, true]),
        ("auto", &[false, false, true]),
        ("single", &[false, false]),
        ("btrfs_raid1", &[false]),
        ("ssd_hdd_btrfs", &[false, false]),
        ("bcachefs_2copy", &[false, true]),
        ("ssd_hdd_bcachefs", &[true, true]),
    ];
    for (asked, kinds) in cases {
        let error = decide(&config(&format!("topology: {asked}\n")), &observed(blanks(kinds))).unwrap_err();
        assert_eq!(error.class(), "topology", "{asked} {kinds:?}");
        assert!(error.to_string().contains("/dev/vda (10 GiB"), "{error}");
    }
    assert_eq!(decide(&config(""), &observed(Vec::new())).unwrap_err().class(), "no_disks");
    let small = disk("/dev/vda", false, &MemoryMedia::new(GIB, 512));
    assert!(decide(&config(""), &observed(vec![small])).unwrap_err().to_string().contains("devices.min_size (2 GiB)"));
}

#[test]
fn what_is_missing_is_said_before_any_change() {
    let all = observed(blanks(&[true, false]));
    for program in ["mkfs.vfat", "bcachefs", "modprobe"] {
        let mut without = all.clone();
        without.tools.programs.remove(program);
        let error = decide(&config(""), &without).unwrap_err();
        assert_eq!((error.class(), error.to_string().contains(program)), ("missing", true), "{error}");
    }
    let mut without = all.clone();
    without.tools.filesystems.insert(Kind::Bcachefs, Support::Missing);
    let error = decide(&config(""), &without).unwrap_err().to_string();
    assert!(error.contains("file system bcachefs in this kernel"), "{error}");
}

/// A name in the error, and what is done to disks that were whole.
type Damage = (&'static str, fn(&mut Vec<Disk>));

#[test]
fn partly_there_is_an_error_that_lists_both() {
    let config = config("topology: dual_independent\n");
    let plan = decide(&config, &observed(blanks(&[false, false]))).unwrap();
    let whole = made(&plan);
    let damages: [Damage; 7] = [
        ("partition zosdata", |disks| {
            disks[1].table.as_mut().unwrap().copies.table.entries.pop();
        }),
        ("/dev/vdb1: vfat ZOSBOOT", |disks| {
            disks[1].table.as_mut().unwrap().superblocks.remove(0);
        }),
        ("/dev/vdb2: btrfs ZOSDATA", |disks| disks[1].table.as_mut().unwrap().superblocks[1].1.label = "other".into()),
        ("an identity of its own", |disks| disks[1].table.as_mut().unwrap().superblocks[1].1.uuid = "data-0".into()),
        ("disk 2 of 2", |disks| {
            disks.pop();
        }),
        ("primary copy", |disks| disks[0].table.as_mut().unwrap().copies.primary = false),
        ("of one device (it has 2)", |disks| disks[0].table.as_mut().unwrap().superblocks[1].1.devices = 2),
    ];
    for (words, damage) in damages {
        let mut disks = whole.clone();
        damage(&mut disks);
        let error = decide(&config, &observed(disks)).unwrap_err();
        assert_eq!(error.class(), "partial", "{words}");
        let (there, missing) =
            error.to_string().split_once("missing:").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(missing.contains(words) && there.contains("/dev/vda"), "{words}: {error}");
    }
}

#[test]
fn occupied_mount_points_are_seen() {
    let mut there = observed(blanks(&[false]));
    there.mounts.push(Mount {
        device: "0:9".into(),
        root: "/".into(),
        target: "/var/cache/etc".into(),
        kind: "tmpfs".into(),
        source: "tmpfs".into(),
        options: String::new(),
    });
    let error = decide(&config(""), &there).unwrap_err();
    assert_eq!((error.class(), error.to_string().contains("/var/cache/etc")), ("mount", true));
}
