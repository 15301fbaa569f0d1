//! Decisions about disks that are only values: what they make, what is refused, and that no data is written over.
mod refused;
mod safety;
mod topologies;

use super::*;
use crate::config::layer::parse;
use crate::config::size::{GIB, MIB};
use crate::device::media::{Media, MemoryMedia};
use crate::device::select::content;
use crate::device::{Identity, Transport};
use crate::filesystem::superblock::Superblock;
use crate::filesystem::tools::{PROGRAMS, Support};
use crate::partition::gpt::{self, Entry, Table};
use crate::partition::layout::{PRIMARY, possible_starts};
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

fn blanks(kinds: &[bool]) -> Vec<Disk> {
    kinds
        .iter()
        .zip("abc".chars())
        .map(|(rotational, letter)| blank(&format!("/dev/vd{letter}"), *rotational))
        .collect()
}
