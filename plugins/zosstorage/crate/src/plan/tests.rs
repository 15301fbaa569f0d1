use super::*;
use crate::config::layer::parse;
use crate::config::size::{GIB, MIB};
use crate::device::media::{Media, MemoryMedia};
use crate::device::select::content;
use crate::device::signatures::{Class, MAGICS};
use crate::device::{Identity, Transport};
use crate::filesystem::superblock::Superblock;
use crate::filesystem::tools::{PROGRAMS, Support};
use crate::partition::gpt::{self, Entry, Table};
use crate::partition::layout::{self, PRIMARY, possible_starts};
use std::collections::BTreeMap;

fn config(more: &str) -> Config {
    Config::new(parse(&format!("version: 1\n{more}"), "test").unwrap()).unwrap()
}

/// A disk as `read_disks` would give it for a medium.
fn disk(path: &str, rotational: bool, media: &MemoryMedia) -> Disk {
    let (findings, table) = content(media, &possible_starts(512 * MIB)).unwrap();
    let identity = Identity {
        path: path.into(),
        size: media.size,
        sector: media.sector,
        rotational,
        model: None,
        serial: Some(format!("serial of {path}")),
        transport: Transport::Virtio,
        removable: false,
        read_only: false,
    };
    Disk { identity, uses: Vec::new(), findings, table }
}

fn blank(path: &str, rotational: bool) -> Disk {
    disk(path, rotational, &MemoryMedia::new(10 * GIB, 512))
}

fn observed(disks: Vec<Disk>) -> Observed {
    let filesystems = BTreeMap::from([(Kind::Btrfs, Support::Ready), (Kind::Bcachefs, Support::Module)]);
    let tools = Tools { programs: PROGRAMS.into_iter().collect(), filesystems };
    Observed { firmware: Firmware::Uefi, disks, mounts: Vec::new(), tools, udev: false }
}

/// The state after a fresh plan was done, with the superblocks that mkfs leaves.
fn made(plan: &Plan) -> Vec<Disk> {
    let mut disks = Vec::new();
    let shared = plan.filesystems.len() == 1 && plan.disks.len() > 1;
    for (index, planned) in plan.disks.iter().enumerate() {
        let identity = &planned.disk.identity;
        let mut media = MemoryMedia::new(identity.size, identity.sector);
        let sector = u64::from(identity.sector);
        let mut entries = Vec::new();
        let mut superblocks = Vec::new();
        for part in &planned.partitions {
            let is_primary = planned.role == Role::Primary && part.purpose == Purpose::Data;
            entries.push((
                part.number,
                Entry {
                    type_guid: part.purpose.type_guid(),
                    guid: Guid::random([(index * 8) as u8 + part.number as u8; 16]),
                    first: part.start / sector,
                    last: (part.start + part.length) / sector - 1,
                    attributes: if is_primary { PRIMARY } else { 0 },
                    name: part.purpose.name().to_owned(),
                },
            ));
            let data = |kind| Superblock {
                kind,
                uuid: format!("data-{}", if shared { 0 } else { index }),
                label: "ZOSDATA".to_owned(),
                device: index.to_string(),
                devices: if shared { plan.disks.len() as u64 } else { 1 },
            };
            match part.purpose {
                Purpose::BiosBoot => {}
                Purpose::Esp => superblocks.push((
                    part.number,
                    Superblock {
                        kind: Kind::Vfat,
                        uuid: format!("boot-{index}"),
                        label: "ZOSBOOT".to_owned(),
                        device: String::new(),
                        devices: 1,
                    },
                )),
                _ => superblocks.push((part.number, data(plan.filesystems[0].kind))),
            }
        }
        for (offset, bytes) in
            gpt::writes(&Table { disk_guid: Guid::default(), entries }, media.size, media.sector).unwrap()
        {
            media.write_at(offset, &bytes).unwrap();
        }
        let mut disk = disk(&identity.path.display().to_string(), identity.rotational, &media);
        disk.table.as_mut().unwrap().superblocks = superblocks;
        disks.push(disk);
    }
    disks
}

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

fn blanks(kinds: &[bool]) -> Vec<Disk> {
    kinds
        .iter()
        .zip("abc".chars())
        .map(|(rotational, letter)| blank(&format!("/dev/vd{letter}"), *rotational))
        .collect()
}

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
fn named_disks_have_roles_in_their_order() {
    let config = config("topology: ssd_hdd_btrfs\ndisks: [/dev/vdb, /dev/vda]\n");
    let plan = decide(&config, &observed(blanks(&[false, false]))).unwrap();
    let paths: Vec<_> = plan.disks.iter().map(|one| (one.disk.path(), one.role)).collect();
    assert_eq!(paths, [("/dev/vdb".to_owned(), Role::Primary), ("/dev/vda".to_owned(), Role::Secondary)]);
    let error = decide(&config, &observed(blanks(&[false]))).unwrap_err();
    assert_eq!((error.class(), error.to_string().contains("/dev/vdb")), ("no_disks", true));
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

#[test]
fn partly_there_is_an_error_that_lists_both() {
    let config = config("topology: dual_independent\n");
    let plan = decide(&config, &observed(blanks(&[false, false]))).unwrap();
    let whole = made(&plan);
    let damages: [(&str, fn(&mut Vec<Disk>)); 7] = [
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
fn disks_that_are_no_part_of_a_whole_topology_are_left_alone() {
    let config = config("");
    let plan = decide(&config, &observed(blanks(&[false]))).unwrap();
    let mut disks = made(&plan);
    disks.push(blank("/dev/vdb", false));
    let again = decide(&config, &observed(disks)).unwrap();
    assert_eq!((again.state, again.disks.len()), (State::Provisioned, 1));
    assert!(again.notes[0].contains("/dev/vdb"), "{:?}", again.notes);
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

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Puts something on a medium; gives what, or nothing where it stays empty.
fn soil(media: &mut MemoryMedia, random: &mut Random) -> Option<String> {
    match random.below(6) {
        0 => None,
        1 | 2 => {
            let magic = &MAGICS[random.below(MAGICS.len() as u64) as usize];
            let at = magic.at[random.below(magic.at.len() as u64) as usize];
            let bytes = magic.bytes[random.below(magic.bytes.len() as u64) as usize];
            media.write_at(at.offset(media.size)?, bytes).ok()?;
            Some(format!("{} {at:?}", magic.kind))
        }
        3 => {
            // Behind a lost partition table, where partitions begin.
            let magics: Vec<_> = MAGICS.iter().filter(|one| one.class == Class::Filesystem).collect();
            let magic = magics[random.below(magics.len() as u64) as usize];
            let starts = [63 * 512, MIB, 513 * MIB, 514 * MIB];
            let start = starts[random.below(4) as usize];
            let layout_only = start > 5 * MIB;
            let at = magic.at.iter().find_map(|at| match at {
                super::super::device::signatures::At::Start(offset) if !layout_only || *offset < MIB => Some(*offset),
                _ => None,
            })?;
            media.write_at(start + at, magic.bytes[0]).ok()?;
            Some(format!("{} behind a lost table at {start}", magic.kind))
        }
        4 => {
            let entries = vec![(
                1,
                Entry {
                    type_guid: Purpose::Data.type_guid(),
                    guid: Guid::random([7; 16]),
                    first: 2048,
                    last: 4095,
                    attributes: 0,
                    name: if random.below(2) == 0 { "zosdata".into() } else { "theirs".into() },
                },
            )];
            let writes = gpt::writes(&Table { disk_guid: Guid::random([8; 16]), entries }, media.size, media.sector)?;
            let range = [0..2, 2..4, 0..5, 1..2, 4..5][random.below(5) as usize].clone();
            for (offset, bytes) in &writes[range.clone()] {
                media.write_at(*offset, bytes).unwrap();
            }
            Some(format!("writes {range:?} of a GPT"))
        }
        _ => {
            let offset = random.below(7 * MIB);
            let offset = if offset < 5 * MIB { offset } else { media.size.checked_sub(offset - 5 * MIB + 1)? };
            media.write_at(offset, &[1 + random.below(254) as u8]).ok()?;
            Some(format!("a byte at {offset}"))
        }
    }
}

#[test]
fn a_disk_that_is_not_empty_is_never_written() {
    let mut random = Random(8);
    let mut blanks = BTreeMap::new();
    let topologies =
        ["auto", "single", "dual_independent", "btrfs_raid1", "ssd_hdd_bcachefs", "ssd_hdd_btrfs", "bcachefs_2copy"];
    let (mut planned, mut refused) = (0, 0);
    for round in 0..4000 {
        let topology = topologies[random.below(7) as usize];
        let config = config(&format!("topology: {topology}\n"));
        let mut disks = Vec::new();
        let mut dirt = Vec::new();
        for index in 0..random.below(4) {
            let sector = [512, 4096][random.below(2) as usize];
            let size = [4 * GIB, 10 * GIB, GIB, 3 * MIB, 40 * GIB + 512 * 8][random.below(5) as usize];
            let mut media = MemoryMedia::new(size, sector);
            let path = format!("/dev/vd{}", (b'a' + index as u8) as char);
            if random.below(3) == 0
                && let Some(what) = soil(&mut media, &mut random)
            {
                dirt.push(format!("{path}: {what}"));
            }
            let rotational = random.below(2) == 0;
            let mut disk = if media.blocks.is_empty() {
                let known = blanks.entry((size, sector)).or_insert_with(|| disk("", false, &media));
                let identity = Identity { path: path.clone().into(), rotational, ..known.identity.clone() };
                Disk { identity, ..known.clone() }
            } else {
                disk(&path, rotational, &media)
            };
            if random.below(20) == 0 {
                disk.uses.push("held by dm-0".into());
                dirt.push(format!("{path}: in use"));
            }
            disks.push(disk);
        }
        let observed =
            Observed { firmware: [Firmware::Bios, Firmware::Uefi][random.below(2) as usize], ..observed(disks) };
        match decide(&config, &observed) {
            Ok(plan) => {
                planned += 1;
                assert_eq!(plan.state, State::Fresh, "round {round}");
                assert!(dirt.is_empty(), "round {round}: {topology} would write over {dirt:?}");
                assert!(plan.disks.iter().all(|one| one.disk.identity.size >= config.devices.min_size));
                let usable =
                    |one: &PlannedDisk| gpt::places(one.disk.identity.size, one.disk.identity.sector).unwrap().usable;
                for one in &plan.disks {
                    let sector = u64::from(one.disk.identity.sector);
                    let last = one.partitions.last().unwrap();
                    assert!((last.start + last.length) / sector - 1 <= usable(one).1);
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(planned > 200 && refused > 1000, "{planned} planned, {refused} refused");
}

#[test]
fn a_table_cut_short_is_refused_or_made_anew_but_never_taken_for_a_whole_one() {
    let plan = decide(&config(""), &observed(blanks(&[false]))).unwrap();
    let identity = &plan.disks[0].disk.identity;
    let slots = layout::slots(identity.size, identity.sector, false, 512 * MIB, Purpose::Data).unwrap();
    let entries = slots.iter().zip(1..).map(|(slot, number)| {
        let entry = Entry {
            type_guid: slot.purpose.type_guid(),
            guid: Guid::random([number as u8; 16]),
            first: slot.start / 512,
            last: (slot.start + slot.length) / 512 - 1,
            attributes: 0,
            name: slot.purpose.name().to_owned(),
        };
        (number, entry)
    });
    let table = Table { disk_guid: Guid::random([3; 16]), entries: entries.collect() };
    let mut classes = Vec::new();
    for lost_after in 0..=5 {
        let mut media = MemoryMedia::new(identity.size, 512);
        media.writes_left = Some(lost_after);
        for (offset, bytes) in gpt::writes(&table, media.size, 512).unwrap() {
            media.write_at(offset, &bytes).unwrap();
        }
        let result = decide(&config(""), &observed(vec![disk("/dev/vda", false, &media)]));
        classes.push(
            result
                .map_or_else(|error| error.class(), |plan| if plan.state == State::Fresh { "fresh" } else { "whole" }),
        );
    }
    assert_eq!(classes, ["fresh", "not_empty", "partial", "partial", "partial", "partial"]);
}
