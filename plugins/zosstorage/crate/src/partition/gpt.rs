//! GUID partition tables: bytes to values and back (UEFI 2.10, chapter 5).

use super::crc32::crc32;
use super::guid::Guid;
use crate::device::media::Media;
use serde::Serialize;
use std::io;

/// Entries of a table that is made here, and bytes of each: the smallest that the specification allows.
pub const ENTRIES: usize = 128;
const ENTRY: usize = 128;
const HEADER: usize = 92;
/// More entries than this are nobody's.
const MOST_ENTRIES: u32 = 1024;
const LARGEST_ENTRY: u32 = 4096;

/// A partition of a table. Sectors are logical ones of the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What it is for.
    pub type_guid: Guid,
    /// Its own GUID.
    pub guid: Guid,
    /// First sector.
    pub first: u64,
    /// Last sector.
    pub last: u64,
    /// Attribute bits.
    pub attributes: u64,
    /// Name, at most 36 UTF-16 units.
    pub name: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// GUID of the disk.
    pub disk_guid: Guid,
    /// Used entries with their numbers, from 1.
    pub entries: Vec<(u32, Entry)>,
}

/// What a disk has of its two copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copies {
    /// The table of the primary copy, else of the backup.
    pub table: Table,
    /// The primary copy is valid.
    pub primary: bool,
    /// The backup copy is valid, and says the same.
    pub backup: bool,
}

/// Where things of a table made here lie, in sectors.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// First and last sector for partitions.
    pub usable: (u64, u64),
    backup_entries: u64,
    last: u64,
}

/// Sectors of the array of entries.
fn array_sectors(sector: u32) -> u64 {
    (ENTRIES * ENTRY) as u64 / u64::from(sector)
}

/// Where a table's parts go on a disk; none if it is too small for one.
pub fn places(size: u64, sector: u32) -> Option<Places> {
    let last = (size / u64::from(sector)).checked_sub(1)?;
    let array = array_sectors(sector);
    let backup_entries = last.checked_sub(array)?;
    let usable = (2 + array, backup_entries.checked_sub(1)?);
    (usable.0 < usable.1).then_some(Places { usable, backup_entries, last })
}

/// The writes that make a table, in the order in which they have to reach the disk: first the backup, then the primary,
/// last the protective MBR. A table that was cut short is seen as one, and no reader takes half of it for the whole.
pub fn writes(table: &Table, size: u64, sector: u32) -> Option<Vec<(u64, Vec<u8>)>> {
    let places = places(size, sector)?;
    let bytes = u64::from(sector);
    let mut array = vec![0; ENTRIES * ENTRY];
    for (number, entry) in &table.entries {
        let at = (*number as usize).checked_sub(1)? * ENTRY;
        array.get_mut(at..at + ENTRY)?.copy_from_slice(&encode_entry(entry)?);
    }
    let sum = crc32(&array);
    let header = |own: u64, other: u64, entries: u64| encode_header(table, &places, own, other, entries, sum, sector);
    Some(vec![
        (places.backup_entries * bytes, array.clone()),
        (places.last * bytes, header(places.last, 1, places.backup_entries)),
        (2 * bytes, array),
        (bytes, header(1, places.last, 2)),
        (0, protective_mbr(places.last, sector)),
    ])
}

fn encode_entry(entry: &Entry) -> Option<[u8; ENTRY]> {
    let mut bytes = [0; ENTRY];
    bytes[..16].copy_from_slice(&entry.type_guid.0);
    bytes[16..32].copy_from_slice(&entry.guid.0);
    bytes[32..40].copy_from_slice(&entry.first.to_le_bytes());
    bytes[40..48].copy_from_slice(&entry.last.to_le_bytes());
    bytes[48..56].copy_from_slice(&entry.attributes.to_le_bytes());
    let units: Vec<u16> = entry.name.encode_utf16().collect();
    for (index, unit) in units.iter().enumerate() {
        bytes.get_mut(56 + 2 * index..58 + 2 * index)?.copy_from_slice(&unit.to_le_bytes());
    }
    Some(bytes)
}

fn encode_header(table: &Table, places: &Places, own: u64, other: u64, entries: u64, sum: u32, sector: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(sector as usize);
    bytes.extend_from_slice(b"EFI PART");
    bytes.extend_from_slice(&0x0001_0000_u32.to_le_bytes());
    bytes.extend_from_slice(&(HEADER as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    for number in [own, other, places.usable.0, places.usable.1] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&table.disk_guid.0);
    bytes.extend_from_slice(&entries.to_le_bytes());
    for number in [ENTRIES as u32, ENTRY as u32, sum] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let own_sum = crc32(&bytes);
    bytes[16..20].copy_from_slice(&own_sum.to_le_bytes());
    bytes.resize(sector as usize, 0);
    bytes
}

/// One partition of type 0xEE over the whole disk, for programs that know MBR alone.
fn protective_mbr(last: u64, sector: u32) -> Vec<u8> {
    let mut bytes = vec![0; sector as usize];
    let length = u32::try_from(last).unwrap_or(u32::MAX);
    bytes[446..462].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes[458..462].copy_from_slice(&length.to_le_bytes());
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

/// Reads both copies; nothing where neither is valid.
pub fn read(media: &dyn Media) -> io::Result<Option<Copies>> {
    let sectors = media.size() / u64::from(media.sector());
    if sectors < 3 {
        return Ok(None);
    }
    let primary = read_copy(media, 1)?;
    let backup = read_copy(media, sectors - 1)?;
    Ok(match (primary, backup) {
        (Some(table), backup) => Some(Copies { backup: backup.as_ref() == Some(&table), table, primary: true }),
        (None, Some(table)) => Some(Copies { table, primary: false, backup: true }),
        (None, None) => None,
    })
}

fn read_copy(media: &dyn Media, sector: u64) -> io::Result<Option<Table>> {
    let bytes = u64::from(media.sector());
    let mut header = vec![0; media.sector() as usize];
    media.read_at(sector * bytes, &mut header)?;
    let Some(parsed) = parse_header(&header, sector) else { return Ok(None) };
    let length = u64::from(parsed.count) * u64::from(parsed.entry_size);
    let Some(start) = parsed.entries.checked_mul(bytes) else { return Ok(None) };
    if start.checked_add(length).is_none_or(|end| end > media.size()) {
        return Ok(None);
    }
    let mut array = vec![0; length as usize];
    media.read_at(start, &mut array)?;
    Ok(parse_entries(&parsed, &array))
}

/// The fields of a header that are of use.
#[derive(Debug)]
pub struct Header {
    disk_guid: Guid,
    entries: u64,
    count: u32,
    entry_size: u32,
    sum: u32,
    usable: (u64, u64),
}

/// Checks a header that was read from a sector, by its checksum and limits.
pub fn parse_header(bytes: &[u8], sector: u64) -> Option<Header> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map(u32::from_le_bytes);
    let long = |at: usize| bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map(u64::from_le_bytes);
    let length = word(12)? as usize;
    if bytes.get(..8)? != b"EFI PART" || !(HEADER..=bytes.len()).contains(&length) || long(24)? != sector {
        return None;
    }
    let mut own = bytes[..length].to_vec();
    own[16..20].fill(0);
    let header = Header {
        disk_guid: Guid(bytes.get(56..72)?.try_into().ok()?),
        entries: long(72)?,
        count: word(80)?,
        entry_size: word(84)?,
        sum: word(88)?,
        usable: (long(40)?, long(48)?),
    };
    let sane = (1..=MOST_ENTRIES).contains(&header.count)
        && (ENTRY as u32..=LARGEST_ENTRY).contains(&header.entry_size)
        && header.entry_size.is_multiple_of(8);
    (sane && crc32(&own) == word(16)?).then_some(header)
}

/// Reads the array of entries that a header describes, by its checksum.
pub fn parse_entries(header: &Header, array: &[u8]) -> Option<Table> {
    if crc32(array) != header.sum {
        return None;
    }
    let mut entries = Vec::new();
    for (index, bytes) in array.chunks_exact(header.entry_size as usize).enumerate() {
        let guid = |at: usize| bytes.get(at..at + 16).and_then(|part| part.try_into().ok()).map(Guid);
        let long = |at: usize| bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map(u64::from_le_bytes);
        let type_guid = guid(0)?;
        if type_guid.is_zero() {
            continue;
        }
        let units: Vec<u16> =
            bytes.get(56..128)?.chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        let units = units.split(|unit| *unit == 0).next().unwrap_or_default();
        let (first, last) = (long(32)?, long(40)?);
        if first > last || first < header.usable.0 || last > header.usable.1 {
            return None;
        }
        let name = String::from_utf16_lossy(units);
        entries
            .push((index as u32 + 1, Entry { type_guid, guid: guid(16)?, first, last, attributes: long(48)?, name }));
    }
    Some(Table { disk_guid: header.disk_guid, entries })
}
