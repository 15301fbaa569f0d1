//! The report: what there is and what was done, as `docs/SCHEMA.md` and `schema/report.schema.json` describe it.

mod time;

use crate::act::{Entry, Journal};
use crate::config::Config;
use crate::device::{Disk, Identity};
use crate::error::{Error, Result};
use crate::filesystem::superblock::Kind;
use crate::mount;
use crate::plan::{Firmware, Observed, Plan, PlannedDisk, Role, State};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
pub use time::rfc3339;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Disks were provisioned.
    Provisioned,
    /// They already were.
    AlreadyProvisioned,
    /// The run failed; `error` and `steps` say where.
    Failed,
}

/// What a run knows, as far as it came.
pub struct Run {
    /// When it began.
    pub start: Instant,
    /// How long it looked at the machine.
    pub looked: Duration,
    /// What was seen at the start.
    pub observed: Option<Observed>,
    /// The plan, in the end as it was read back.
    pub plan: Option<Plan>,
    /// Whether anything had to be made.
    pub state: Option<State>,
    /// Steps.
    pub journal: Journal,
}

impl Default for Run {
    fn default() -> Run {
        let start = Instant::now();
        Run { start, looked: Duration::ZERO, observed: None, plan: None, state: None, journal: Journal::default() }
    }
}

/// A time of the report.
fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// Makes the report. `error`: why the run failed. `now`: seconds since 1970.
pub fn report(config: &Config, run: &Run, error: Option<&Error>, now: u64) -> Value {
    let status = match (error, run.state) {
        (Some(_), _) | (None, None) => Status::Failed,
        (None, Some(State::Fresh)) => Status::Provisioned,
        (None, Some(State::Provisioned)) => Status::AlreadyProvisioned,
    };
    let disks: Vec<Value> = match (&run.plan, &run.observed) {
        (Some(plan), _) => plan.disks.iter().map(planned_disk).collect(),
        (None, Some(observed)) => observed.disks.iter().map(|disk| disk_value(disk, None, &[])).collect(),
        (None, None) => Vec::new(),
    };
    let step = |entry: &Entry| json!({ "step": entry.words, "result": entry.outcome, "milliseconds": milliseconds(entry.took) });
    let steps: Vec<Value> = run.journal.entries.iter().map(step).collect();
    json!({
        "version": 1,
        "status": status,
        "timestamp": rfc3339(now),
        "topology": run.plan.as_ref().map_or(config.topology, |plan| plan.topology),
        "firmware": run.observed.as_ref().map(|observed| observed.firmware) as Option<Firmware>,
        "disks": disks,
        "filesystems": run.plan.as_ref().map(|plan| filesystems(config, plan)).unwrap_or_default(),
        "milliseconds": { "looking": milliseconds(run.looked), "whole": milliseconds(run.start.elapsed()) },
        "steps": steps,
        "notes": run.plan.as_ref().map(|plan| plan.notes.clone()).unwrap_or_default(),
        "error": error.map(|error| json!({
            "class": error.class(), "exit_code": error.exit_code(), "message": error.to_string(),
        })),
    })
}

fn planned_disk(planned: &PlannedDisk) -> Value {
    let partitions: Vec<Value> = planned
        .partitions
        .iter()
        .map(|one| {
            json!({
                "number": one.number, "path": one.path, "name": one.purpose.name(), "purpose": one.purpose,
                "guid": one.guid, "start": one.start, "length": one.length,
            })
        })
        .collect();
    disk_value(&planned.disk, Some(planned.role), &partitions)
}

fn disk_value(disk: &Disk, role: Option<Role>, partitions: &[Value]) -> Value {
    let Identity { path, size, sector, rotational, model, serial, transport, .. } = &disk.identity;
    // Of a disk that was made in this run, what was found before is no news.
    let found = if role.is_none() { disk.findings.words() } else { Vec::new() };
    json!({
        "path": path, "size": size, "sector": sector, "rotational": rotational, "model": model, "serial": serial,
        "transport": transport, "role": role, "partitions": partitions, "found": found, "uses": disk.uses,
    })
}

fn filesystems(config: &Config, plan: &Plan) -> Vec<Value> {
    let mut all = Vec::new();
    for partition in plan.disks.iter().flat_map(|disk| &disk.partitions) {
        if let Some(found) = partition.superblock.as_ref().filter(|found| found.kind == Kind::Vfat) {
            all.push(json!({
                "kind": found.kind, "label": found.label, "uuid": found.uuid, "devices": [partition.path],
                "primary": false, "mounts": [],
            }));
        }
    }
    for one in &plan.filesystems {
        let Some(uuid) = &one.uuid else { continue };
        let mut mounts = vec![json!({ "target": mount::top(config, uuid), "subvolume": null })];
        if one.primary {
            let part = |subvolume: &crate::config::Subvolume| json!({ "target": subvolume.target, "subvolume": subvolume.name });
            mounts.extend(config.mounts.subvolumes.iter().map(part));
        }
        all.push(json!({
            "kind": one.kind, "label": crate::filesystem::command::LABEL_DATA, "uuid": uuid, "devices": one.devices,
            "primary": one.primary, "mounts": mounts,
        }));
    }
    all
}

/// Writes a file so that a reader sees the old or the new one, never a part.
pub fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        Error::write(path)(error)
    })
}
