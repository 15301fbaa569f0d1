//! Runs a program and waits for it.

use crate::error::{Error, Result};
use crate::filesystem::command::Command;
use crate::filesystem::tools;
use std::process::Stdio;
use std::time::Instant;

/// Lines of a program's words that an error repeats.
const LINES: usize = 6;

/// Runs a command; what it prints goes to the log. Anything but exit code 0 is an error with its last words.
pub fn run(command: &Command) -> Result<()> {
    let failed = |why: String| Error::Act { what: format!("{}: {why}", command.text()) };
    let file = tools::find(command.program).ok_or_else(|| failed("the program is gone".to_owned()))?;
    let start = Instant::now();
    let output = std::process::Command::new(file)
        .args(&command.args)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    tracing::debug!(milliseconds = start.elapsed().as_millis(), "{}", command.text());
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    for line in &lines {
        tracing::debug!(program = command.program, "{line}");
    }
    if output.status.success() {
        return Ok(());
    }
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
    Err(failed(format!("{}\n  {last}", output.status)))
}
