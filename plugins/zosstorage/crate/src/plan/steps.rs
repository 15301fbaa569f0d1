//! A plan as a list of steps in the order in which they are done, with words for each.

use super::{Plan, PlannedDisk, PlannedFilesystem, State};
use crate::config::Config;
use crate::config::size::Size;
use crate::mount::{subvolume_options, top, top_options};
use serde::Serialize;

/// One step. Numbers are places in the lists of the plan or of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Loads the driver of the file systems.
    Driver,
    /// Opens every disk alone and looks at it again.
    Claim,
    /// Writes the partition table of a disk.
    Table(usize),
    /// Waits until the kernel and udev have seen the new partitions.
    Appear,
    /// Makes the EFI system partition's file system of a disk.
    Boot(usize),
    /// Makes a data file system.
    Data(usize),
    /// Reads back what was made, and decides anew.
    ReadBack,
    /// Mounts a data file system as a whole.
    Mount(usize),
    /// Makes a subvolume of the primary file system.
    Subvolume(usize),
    /// Mounts a subvolume.
    MountSubvolume(usize),
    /// Writes the fstab.
    Fstab,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done in this run.
    Done,
    /// There was nothing to do.
    AlreadyRight,
    /// It failed.
    Failed,
    /// It was not tried.
    NotDone,
}

impl Outcome {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::AlreadyRight => "already right",
            Outcome::Failed => "failed",
            Outcome::NotDone => "not done",
        }
    }
}

/// All steps of a plan, whether or not there is something to do. What guards a change is a step only where there is one.
pub fn steps(plan: &Plan, config: &Config) -> Vec<Step> {
    let guard = |step| (plan.state == State::Fresh).then_some(step);
    let mut steps = vec![Step::Driver];
    steps.extend(guard(Step::Claim));
    steps.extend((0..plan.disks.len()).map(Step::Table));
    steps.extend(guard(Step::Appear));
    steps.extend((0..plan.disks.len()).map(Step::Boot));
    steps.extend((0..plan.filesystems.len()).map(Step::Data));
    steps.extend(guard(Step::ReadBack));
    steps.extend((0..plan.filesystems.len()).map(Step::Mount));
    for index in 0..config.mounts.subvolumes.len() {
        steps.extend([Step::Subvolume(index), Step::MountSubvolume(index)]);
    }
    if config.fstab.enabled {
        steps.push(Step::Fstab);
    }
    steps
}

/// One line for a step.
pub fn words(step: Step, plan: &Plan, config: &Config) -> String {
    match step {
        Step::Driver => plan.filesystems.first().map(|one| format!("driver: {}", one.kind.name())),
        Step::Claim => Some("disks: opened alone, and as they were".to_owned()),
        Step::Appear => Some("partitions: seen by the kernel and udev".to_owned()),
        Step::ReadBack => Some("read back: all is there".to_owned()),
        Step::Table(index) => plan.disks.get(index).map(table_words),
        Step::Boot(index) => plan.disks.get(index).map(boot_words),
        Step::Data(index) => plan.filesystems.get(index).map(|one| format!("file system: {}", one.mkfs.text())),
        Step::Mount(index) => plan.filesystems.get(index).map(|one| mount_words(one, config)),
        Step::Subvolume(index) => config.mounts.subvolumes.get(index).map(|one| format!("subvolume: {}", one.name)),
        Step::MountSubvolume(index) => config.mounts.subvolumes.get(index).map(|one| {
            let kind = plan.primary().map(|primary| primary.kind);
            let options = kind.map(|kind| subvolume_options(config, kind, &one.name)).unwrap_or_default();
            format!("mount: UUID={} at {} ({options})", uuid(plan.primary()), one.target)
        }),
        Step::Fstab => Some(format!("fstab: {}", config.fstab.path)),
    }
    .unwrap_or_default()
}

fn uuid(filesystem: Option<&PlannedFilesystem>) -> &str {
    filesystem.and_then(|one| one.uuid.as_deref()).unwrap_or("{UUID}")
}

fn mount_words(filesystem: &PlannedFilesystem, config: &Config) -> String {
    let uuid = uuid(Some(filesystem));
    let options = top_options(config, filesystem.kind);
    let options = if options.is_empty() { options } else { format!(" ({options})") };
    format!("mount: UUID={uuid} at {}{options}", top(config, uuid))
}

fn table_words(planned: &PlannedDisk) -> String {
    let parts: Vec<String> = planned
        .partitions
        .iter()
        .map(|one| format!("{} {} {}", one.number, one.purpose.name(), Size(one.length)))
        .collect();
    format!("partition table: {} ({})", planned.disk.path(), parts.join(", "))
}

fn boot_words(planned: &PlannedDisk) -> String {
    let boot = planned.partitions.iter().find(|one| one.purpose == crate::partition::layout::Purpose::Esp);
    match boot {
        Some(one) => match &one.mkfs {
            Some(command) => format!("file system: {}", command.text()),
            None => format!("file system: vfat on {}", one.path.display()),
        },
        None => format!("file system: vfat on {}", planned.disk.path()),
    }
}
