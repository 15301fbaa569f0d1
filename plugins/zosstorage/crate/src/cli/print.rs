//! What goes to standard output.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::choose::described;
use crate::plan::steps::{steps, words};
use crate::plan::{Observed, Plan, State, decide};
use serde_json::json;
use std::io::{Write, stderr, stdout};

/// Writes text; a reader that is gone, as behind `head`, is no failure.
pub fn text(text: &str) -> Result<()> {
    match stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::write("standard output")(error)),
        _ => Ok(()),
    }
}

/// An error before logging began.
pub fn error(error: &Error) {
    let _ = writeln!(stderr(), "zosstorage: {error}");
}

/// A plan, as lines or as JSON.
pub fn plan(plan: &Plan, config: &Config, as_json: bool) -> Result<()> {
    let all: Vec<String> = steps(plan, config).into_iter().map(|step| words(step, plan, config)).collect();
    if as_json {
        let value = json!({
            "version": 1, "digest": plan.digest, "topology": plan.topology, "state": plan.state, "steps": all,
            "notes": plan.notes, "disks": plan.disks, "filesystems": plan.filesystems,
        });
        return text(&format!("{value:#}\n"));
    }
    let mut lines = vec![match plan.state {
        State::Fresh => format!("would provision {}:", plan.topology.name()),
        State::Provisioned => format!("provisioned as {}; would mount what is not mounted of:", plan.topology.name()),
    }];
    lines.extend(plan.disks.iter().map(|one| format!("  disk: {} as {:?}", described(&one.disk), one.role)));
    let steps = all.iter().filter(|line| plan.state == State::Fresh || line.starts_with("mount"));
    lines.extend(steps.map(|line| format!("  {line}")));
    lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    lines.push(format!("digest: {}", plan.digest));
    text(&format!("{}\n", lines.join("\n")))
}

/// Disks, what is on them, the decision, and the configuration.
pub fn show(config: &Config, observed: &Observed, as_json: bool) -> Result<()> {
    let decided = decide(config, observed);
    if as_json {
        let (plan, error) = match &decided {
            Ok(plan) => (Some(json!({ "state": plan.state, "topology": plan.topology })), None),
            Err(error) => (None, Some(json!({ "class": error.class(), "message": error.to_string() }))),
        };
        let value = json!({
            "version": 1, "firmware": observed.firmware, "disks": observed.disks, "tools": observed.tools,
            "decision": plan, "error": error, "config": config,
        });
        return text(&format!("{value:#}\n"));
    }
    let mut lines = vec![format!("started by {:?}", observed.firmware)];
    for disk in &observed.disks {
        lines.push(described(disk));
        let found = disk.findings.words();
        lines.push(format!("  {}", if found.is_empty() { "empty".to_owned() } else { found.join(", ") }));
        lines.extend(disk.uses.iter().map(|one| format!("  {one}")));
    }
    lines.push(match decided {
        Ok(plan) if plan.state == State::Fresh => format!("would be provisioned as {}", plan.topology.name()),
        Ok(plan) => format!("provisioned as {}", plan.topology.name()),
        Err(error) => format!("would be left as it is: {error}"),
    });
    text(&format!("{}\n", lines.join("\n")))
}
