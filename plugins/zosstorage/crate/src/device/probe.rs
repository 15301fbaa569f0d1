//! Looks for anything on a medium: signatures at their places, and bytes that no signature explains.

use super::media::Media;
use super::signatures::{At, Class, MAGICS, ZFS_LABELS, ZFS_RING, ZFS_UBERBLOCK, ext_kind};
use crate::config::size::{KIB, MIB, Size};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;

/// Start of a medium that is read: every signature at a fixed place but btrfs' second superblock is there.
const HEAD: u64 = 5 * MIB;
/// End of a medium that is read: RAID, the backup GPT, ZFS.
const TAIL: u64 = 2 * MIB;
/// What is read where an own partition would begin, and of btrfs' second superblock.
const PART: u64 = 1088 * KIB;
const SECOND_BTRFS: u64 = 64 * MIB;

/// Where partitions of others usually begin, in bytes: a lost table leaves their file systems there.
const USUAL_STARTS: [u64; 2] = [63 * 512, MIB];

/// Something that was recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Signature {
    /// Name, as libblkid has it: `ext4`, `crypto_LUKS`, `gpt`.
    pub kind: &'static str,
    /// What it is.
    pub class: Class,
    /// Where its magic is, in bytes.
    pub offset: u64,
}

/// All that a look at a medium found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Signatures, by offset.
    pub signatures: Vec<Signature>,
    /// Offset of the first byte that is neither of an erased pattern nor explained by a signature.
    pub unknown: Option<u64>,
    /// SHA-256 of all that was read, erased stretches by their length, as hex; empty where nothing but a table of ours was.
    pub digest: String,
}

impl Findings {
    /// A partition table, beside which nothing was looked for.
    pub fn table_alone(kind: &'static str, offset: u64) -> Findings {
        let signatures = vec![Signature { kind, class: Class::Table, offset }];
        Findings { signatures, unknown: None, digest: String::new() }
    }

    /// Nothing at all was found.
    pub fn is_blank(&self) -> bool {
        self.signatures.is_empty() && self.unknown.is_none()
    }

    /// What was found, for people; empty where there was nothing.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self
            .signatures
            .iter()
            .map(|Signature { kind, class, offset }| {
                let what = match class {
                    Class::Table => "partition table",
                    Class::Filesystem => "file system",
                    Class::Member => "RAID or volume member",
                    Class::Crypto => "encrypted volume",
                };
                format!("{what} {kind} (magic at byte {offset})")
            })
            .collect();
        if let (true, Some(offset)) = (words.is_empty(), self.unknown) {
            words.push(format!("data of unknown kind (first at byte {offset})"));
        }
        words
    }
}

/// A stretch of the medium in memory.
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn read(media: &dyn Media, start: u64, length: u64) -> io::Result<Window> {
        let start = start.min(media.size());
        let mut bytes = vec![0; length.min(media.size() - start) as usize];
        media.read_at(start, &mut bytes)?;
        Ok(Window { start, bytes })
    }

    fn at(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(length)?)
    }
}

/// Reads a medium and gives what is on it. `starts`: offsets in bytes at which partitions would be made.
pub fn probe(media: &dyn Media, starts: &[u64]) -> io::Result<Findings> {
    let size = media.size();
    let head = Window::read(media, 0, HEAD)?;
    let tail = Window::read(media, size.saturating_sub(TAIL), TAIL)?;
    let mut windows = vec![head, tail, Window::read(media, SECOND_BTRFS, 4 * KIB)?];
    for start in starts.iter().filter(|start| **start + PART > HEAD) {
        windows.push(Window::read(media, *start, PART)?);
    }
    let mut signatures = signatures_at(&windows, 0, size);
    for start in USUAL_STARTS.iter().chain(starts).filter(|start| **start > 0 && **start < size) {
        signatures.extend(signatures_at(&windows, *start, size));
    }
    signatures.sort_by_key(|one| (one.offset, one.kind));
    signatures.dedup();
    let mut unknown = None;
    let mut hash = Sha256::new();
    for window in &windows {
        let odd = first_odd_byte(window);
        // An erased stretch counts by its first byte: to hash megabytes of zeros takes longer than all else.
        let bytes = if odd.is_some() { &window.bytes[..] } else { &window.bytes[..window.bytes.len().min(1)] };
        for number in [window.start, window.bytes.len() as u64, bytes.len() as u64] {
            hash.update(number.to_le_bytes());
        }
        hash.update(bytes);
        unknown = unknown.into_iter().chain(odd).min();
    }
    let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Findings { signatures, unknown, digest })
}

/// The first byte that breaks the pattern of an erased medium: all zeros, or all ones as flash may read.
fn first_odd_byte(window: &Window) -> Option<u64> {
    let erased = match window.bytes.first() {
        Some(0xff) => 0xff,
        _ => 0,
    };
    // By 16 bytes first: one by one, megabytes are slow where a processor is emulated.
    let (wide, _) = window.bytes.as_chunks::<16>();
    let pattern = u128::from_ne_bytes([erased; 16]);
    let clean = 16 * wide.iter().take_while(|chunk| u128::from_ne_bytes(**chunk) == pattern).count();
    let at = clean + window.bytes[clean..].iter().position(|byte| *byte != erased)?;
    Some(window.start + at as u64)
}

/// Signatures of something that begins at `base`. Places before its end count only for the whole medium.
fn signatures_at(windows: &[Window], base: u64, size: u64) -> Vec<Signature> {
    let look = |offset: u64, length: usize| windows.iter().find_map(|window| window.at(offset, length));
    let place = |at: At| match (at, base) {
        (At::Start(offset), _) => base.checked_add(offset),
        (_, 0) => at.offset(size),
        _ => None,
    };
    let mut found = Vec::new();
    for magic in MAGICS {
        // Inside of a partition there is no further table, but boot sectors end as one does.
        if base > 0 && magic.class == Class::Table {
            continue;
        }
        for offset in magic.at.iter().filter_map(|at| place(*at)) {
            for bytes in magic.bytes {
                if look(offset, bytes.len()) == Some(*bytes) {
                    let kind = match magic.kind {
                        "ext2" => look(base + 0x400, 0x400).map_or("ext2", ext_kind),
                        other => other,
                    };
                    found.push(Signature { kind, class: magic.class, offset });
                }
            }
        }
    }
    found.extend(zfs(&look, &place));
    found
}

fn zfs<'a>(look: &impl Fn(u64, usize) -> Option<&'a [u8]>, place: &impl Fn(At) -> Option<u64>) -> Option<Signature> {
    for label in ZFS_LABELS.iter().filter_map(|at| place(*at)) {
        for step in (ZFS_RING.start..ZFS_RING.end).step_by(1024) {
            let offset = label + step;
            if look(offset, 8).is_some_and(|bytes| ZFS_UBERBLOCK.contains(&bytes)) {
                return Some(Signature { kind: "zfs_member", class: Class::Member, offset });
            }
        }
    }
    None
}

/// Refuses nothing by itself: says whether findings mean that the disk is empty.
pub fn dirt(findings: &Findings, unknown_counts: bool) -> Option<String> {
    if findings.signatures.is_empty() && (findings.unknown.is_none() || !unknown_counts) {
        return None;
    }
    Some(findings.words().join(", "))
}

/// For messages: how much of a medium is looked at.
pub fn looked_at() -> String {
    format!("the first {} and the last {}", Size(HEAD), Size(TAIL))
}

/// Looks at the start of a partition alone, as `probe` did before its table was written.
pub fn probe_start(media: &dyn Media) -> io::Result<Findings> {
    let windows = [Window::read(media, 0, PART)?];
    let unknown = windows.iter().filter_map(first_odd_byte).min();
    Ok(Findings { signatures: signatures_at(&windows, 0, media.size()), unknown, digest: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::media::MemoryMedia;
    use crate::device::signatures::MAGICS;

    /// Media of any size, down to none, with magics cut off by their ends: nothing, or something that was really there.
    #[test]
    fn any_bytes_are_seen_and_no_place_is_beyond_the_end() {
        let mut state = 11_u64;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        for round in 0..600 {
            let sector = [512, 4096][below(2) as usize];
            let size = [0, 1, 511, 512, 4096, 65_537, MIB, 3 * MIB][below(8) as usize] + below(2) * below(5000);
            let mut media = MemoryMedia::new(size, sector);
            let mut soiled = false;
            for _ in 0..below(4) {
                let magic = &MAGICS[below(MAGICS.len() as u64) as usize];
                let bytes = magic.bytes[0];
                let offset = magic.at[0].offset(size).unwrap_or_default();
                let length = bytes.len().min(size.saturating_sub(offset) as usize);
                let part = &bytes[..length];
                if media.write_at(offset.min(size), part).is_ok() {
                    soiled |= part.iter().any(|byte| *byte != 0);
                }
            }
            let found = probe(&media, &[0, MIB, 513 * MIB, 17 * 1024 * MIB]).unwrap();
            assert_eq!(found.is_blank(), !soiled, "round {round}: {found:?}");
            for one in &found.signatures {
                assert!(one.offset < size, "round {round}: {one:?} on {size} bytes");
            }
        }
    }
}
