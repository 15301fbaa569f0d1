use super::gpt::{Entry, Table, places, read, writes};
use super::guid::Guid;
use super::layout::{Purpose, slots};
use crate::config::size::{GIB, MIB};
use crate::device::media::{Media, MemoryMedia};

fn table(size: u64, sector: u32) -> Table {
    let slots = slots(size, sector, true, 512 * MIB, Purpose::Data).unwrap();
    let entries = slots
        .iter()
        .zip(1..)
        .map(|(slot, number)| {
            let entry = Entry {
                type_guid: slot.purpose.type_guid(),
                guid: Guid::random([number as u8; 16]),
                first: slot.start / u64::from(sector),
                last: (slot.start + slot.length) / u64::from(sector) - 1,
                attributes: 0,
                name: slot.purpose.name().to_owned(),
            };
            (number, entry)
        })
        .collect();
    Table { disk_guid: Guid::random([9; 16]), entries }
}

fn write(media: &mut MemoryMedia, table: &Table) {
    for (offset, bytes) in writes(table, media.size, media.sector).unwrap() {
        media.write_at(offset, &bytes).unwrap();
    }
}

#[test]
fn both_copies_are_read_back() {
    for sector in [512, 4096] {
        let mut media = MemoryMedia::new(8 * GIB, sector);
        let table = table(media.size, sector);
        write(&mut media, &table);
        let copies = read(&media).unwrap().unwrap();
        assert_eq!(copies.table, table);
        assert!(copies.primary && copies.backup);
    }
}

#[test]
fn a_damaged_copy_is_seen() {
    let mut whole = MemoryMedia::new(8 * GIB, 512);
    let table = table(whole.size, 512);
    write(&mut whole, &table);
    for (offset, primary, backup) in
        [(512, false, true), (1024 + 40, false, true), (whole.size - 512 + 20, true, false)]
    {
        let mut media = whole.clone();
        let mut byte = [0];
        media.read_at(offset, &mut byte).unwrap();
        media.write_at(offset, &[byte[0] ^ 1]).unwrap();
        let copies = read(&media).unwrap().unwrap();
        assert_eq!((copies.primary, copies.backup), (primary, backup), "{offset}");
        assert_eq!(copies.table, table);
    }
    let mut media = whole.clone();
    media.write_at(520, &[1]).unwrap();
    media.write_at(media.size - 500, &[1]).unwrap();
    assert_eq!(read(&media).unwrap(), None);
}

#[test]
fn a_cut_table_is_never_taken_for_a_whole_one() {
    let blank = MemoryMedia::new(8 * GIB, 512);
    let table = table(blank.size, 512);
    let all = writes(&table, blank.size, 512).unwrap();
    for count in 0..all.len() {
        let mut media = blank.clone();
        for (offset, bytes) in &all[..count] {
            media.write_at(*offset, bytes).unwrap();
        }
        let whole = read(&media).unwrap().is_some_and(|copies| copies.primary && copies.backup);
        // The fifth write is the protective MBR, which only old programs need.
        assert_eq!(whole, count == 4, "after {count} writes");
    }
}

#[test]
fn any_bytes_are_a_table_or_none() {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let mut whole = MemoryMedia::new(64 * MIB, 512);
    let entries = table(8 * GIB, 512).entries[..1].to_vec();
    write(&mut whole, &Table { disk_guid: Guid::default(), entries });
    for _ in 0..3000 {
        let mut media = whole.clone();
        for _ in 0..=random() % 4 {
            let offset = if random() % 2 == 0 { 512 + random() % 92 } else { 1024 + random() % 16384 };
            media.write_at(offset as u64, &[random() as u8]).unwrap();
        }
        let copies = read(&media).unwrap().expect("the backup is whole");
        assert!(copies.backup || copies.primary);
    }
}

#[test]
fn layouts_are_aligned_and_fit() {
    for sector in [512_u32, 4096] {
        for size in [2 * GIB, 2 * GIB + 512 * 7 * 8, 40 * GIB, 3_000_592_982_016, 18_000_207_937_536] {
            for bios in [false, true] {
                let slots = slots(size, sector, bios, 512 * MIB, Purpose::Cache).unwrap();
                let names: Vec<_> = slots.iter().map(|slot| slot.purpose.name()).collect();
                assert_eq!(names[usize::from(bios)..], ["zosboot", "zoscache"]);
                let mut end = MIB;
                for slot in &slots {
                    assert_eq!((slot.start, slot.start % MIB, slot.length % MIB), (end, 0, 0));
                    end = slot.start + slot.length;
                }
                let last = places(size, sector).unwrap().usable.1;
                assert!(end / u64::from(sector) - 1 <= last && size - end < 3 * MIB);
            }
        }
    }
    assert_eq!(slots(600 * MIB, 512, false, 512 * MIB, Purpose::Data), None);
    assert_eq!(slots(0, 512, false, 512 * MIB, Purpose::Data), None);
}
