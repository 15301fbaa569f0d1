//! Thousands of disks that are not empty, and tables cut short at every write.
use super::*;
use crate::device::signatures::{At, Class, MAGICS};
use crate::partition::layout;

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
                At::Start(offset) if !layout_only || *offset < MIB => Some(*offset),
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
