//! Makes partition tables and file systems on disks that are empty. Every disk is opened alone and looked at again
//! before the first byte is written to any of them.

use super::Journal;
use super::run::run;
use crate::config::{Config, UnknownData};
use crate::device::media::{Access, Device, Media};
use crate::device::select::{Roots, claim};
use crate::device::{probe, sysfs};
use crate::error::{Error, Result};
use crate::filesystem::command;
use crate::filesystem::tools::Support;
use crate::partition::gpt::{self, Entry, Table};
use crate::partition::guid::Guid;
use crate::partition::layout::{PRIMARY, Purpose};
use crate::plan::steps::{Outcome, Step};
use crate::plan::{Observed, Plan, PlannedDisk, PlannedPartition, Role};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the kernel may take to show new partitions.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(20);

/// Loads the driver of the plan's file systems, which are of one kind.
pub fn load_driver(plan: &Plan, observed: &Observed) -> Result<Outcome> {
    let Some(kind) = plan.filesystems.first().map(|one| one.kind) else { return Ok(Outcome::AlreadyRight) };
    if observed.tools.support(kind) != Support::Module {
        return Ok(Outcome::AlreadyRight);
    }
    let name = kind.name();
    run(&command::modprobe(name))
        .map_err(|error| Error::Missing(vec![format!("driver {name}, which cannot be loaded ({error})")]))?;
    Ok(Outcome::Done)
}

/// Opens every disk alone and compares it with what the plan was made from: the last that can fail without a change.
fn claim_all(config: &Config, plan: &Plan) -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    for planned in &plan.disks {
        let device = claim(&planned.disk, config.partitions.esp_size)?;
        // The same question as after the table is written: a device that cannot have partitions says so now.
        let refused =
            |error| Error::Missing(vec![format!("partitions of {}: the kernel says {error}", planned.disk.path())]);
        reread(&device).map_err(refused)?;
        devices.push(device);
    }
    Ok(devices)
}

/// Makes everything of a fresh plan.
pub fn format(config: &Config, roots: &Roots, plan: &Plan, udev: bool, journal: &mut Journal) -> Result<()> {
    let mut devices = journal.make(Step::Claim, || claim_all(config, plan))?;
    for (index, (planned, device)) in plan.disks.iter().zip(&mut devices).enumerate() {
        journal.make(Step::Table(index), || write_table(planned, device))?;
    }
    // Whoever holds a disk alone holds its partitions too, which mkfs has to open.
    drop(devices);
    journal.make(Step::Appear, || {
        plan.disks.iter().try_for_each(|planned| await_partitions(roots, planned))?;
        settle(udev)
    })?;
    for (index, planned) in plan.disks.iter().enumerate() {
        journal.make(Step::Boot(index), || {
            for partition in &planned.partitions {
                if let Some(mkfs) = &partition.mkfs {
                    check_blank(config, partition, planned.disk.identity.sector)?;
                    run(mkfs)?;
                    flush(&partition.path)?;
                }
            }
            Ok(())
        })?;
    }
    for (index, filesystem) in plan.filesystems.iter().enumerate() {
        journal.make(Step::Data(index), || {
            for planned in &plan.disks {
                for partition in planned.partitions.iter().filter(|one| filesystem.devices.contains(&one.path)) {
                    check_blank(config, partition, planned.disk.identity.sector)?;
                }
            }
            run(&filesystem.mkfs)?;
            filesystem.devices.iter().try_for_each(|path| flush(path))
        })?;
    }
    Ok(())
}

/// What a mkfs wrote is on the medium before the next begins: not every one asks for that, and a file system that is seen
/// after power was lost stands for all that was made before it.
fn flush(path: &Path) -> Result<()> {
    let failed = |error| Error::Act { what: format!("{}: {error}; what mkfs wrote may be lost", path.display()) };
    std::fs::File::open(path).and_then(|device| device.sync_all()).map_err(failed)
}

/// Waits until udev has seen all that was made, where there is one.
pub fn settle(udev: bool) -> Result<()> {
    if udev { run(&command::settle()) } else { Ok(()) }
}

fn random_guid() -> Result<Guid> {
    let mut bytes = [0; 16];
    let path = Path::new("/dev/urandom");
    std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
        .map_err(Error::read(path))?;
    Ok(Guid::random(bytes))
}

/// The table of a planned disk, with new GUIDs.
fn table(planned: &PlannedDisk) -> Result<Table> {
    let sector = u64::from(planned.disk.identity.sector);
    let mut entries = Vec::new();
    for partition in &planned.partitions {
        let is_primary = planned.role == Role::Primary && partition.purpose == Purpose::Data;
        let entry = Entry {
            type_guid: partition.purpose.type_guid(),
            guid: random_guid()?,
            first: partition.start / sector,
            last: (partition.start + partition.length) / sector - 1,
            attributes: if is_primary { PRIMARY } else { 0 },
            name: partition.purpose.name().to_owned(),
        };
        entries.push((partition.number, entry));
    }
    Ok(Table { disk_guid: random_guid()?, entries })
}

/// Writes a table and reads it back.
pub fn write_media(media: &mut dyn Media, table: &Table) -> std::io::Result<bool> {
    let Some(writes) = gpt::writes(table, media.size(), media.sector()) else { return Ok(false) };
    for (offset, bytes) in writes {
        media.write_at(offset, &bytes)?;
        media.flush()?;
    }
    Ok(gpt::read(media)?.is_some_and(|copies| copies.primary && copies.backup && copies.table == *table))
}

fn write_table(planned: &PlannedDisk, device: &mut Device) -> Result<()> {
    let failed = |what: String| Error::Act { what: format!("partition table of {}: {what}", planned.disk.path()) };
    let table = table(planned)?;
    match write_media(device, &table).map_err(|error| failed(error.to_string()))? {
        true => reread(device).map_err(|error| failed(format!("the kernel does not take it: {error}"))),
        false => Err(failed("what was written does not read back".to_owned())),
    }
}

/// Asks the kernel to read the table. Others, such as udev, may have the disk open for a moment.
fn reread(device: &Device) -> std::io::Result<()> {
    /// `BLKRRPART` is `_IO(0x12, 95)` (linux/fs.h).
    const BLKRRPART: rustix::ioctl::Opcode = rustix::ioctl::opcode::none(0x12, 95);
    let deadline = Instant::now() + PATIENCE;
    loop {
        // SAFETY: BLKRRPART takes no argument and writes to no memory of this process.
        let result = unsafe { rustix::ioctl::ioctl(device.file(), rustix::ioctl::NoArg::<BLKRRPART>::new()) };
        match result {
            Err(rustix::io::Errno::BUSY) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            other => return other.map_err(Into::into),
        }
    }
}

/// Waits until every partition is there: for the kernel, and as a file of the right size.
fn await_partitions(roots: &Roots, planned: &PlannedDisk) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let name = planned.disk.identity.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    loop {
        let known = sysfs::parts(&roots.sys, name).len();
        let missing = planned.partitions.iter().find(|one| {
            let device = Device::open(&one.path, one.length, planned.disk.identity.sector, Access::Read);
            !device.is_ok_and(|device| device.real_size().is_ok_and(|size| size == one.length))
        });
        match missing {
            None if known == planned.partitions.len() => return Ok(()),
            _ if Instant::now() < deadline => std::thread::sleep(PAUSE),
            missing => {
                let path = missing.map(|one| one.path.display().to_string()).unwrap_or_else(|| planned.disk.path());
                let what = format!("{path} did not appear within {} s of its table", PATIENCE.as_secs());
                return Err(Error::Act { what });
            }
        }
    }
}

/// Looks at a partition once more, alone, right before its file system is made.
fn check_blank(config: &Config, partition: &PlannedPartition, sector: u32) -> Result<()> {
    let path = &partition.path;
    let failed =
        |what: String| Error::Act { what: format!("{}: {what}; no file system was made on it", path.display()) };
    let device =
        Device::open(path, partition.length, sector, Access::Exclusive).map_err(|error| failed(error.to_string()))?;
    let findings = probe::probe_start(&device).map_err(|error| failed(error.to_string()))?;
    match probe::dirt(&findings, config.devices.unknown_data == UnknownData::Refuse) {
        None => Ok(()),
        Some(what) => Err(failed(format!("found {what} since it was looked at"))),
    }
}
