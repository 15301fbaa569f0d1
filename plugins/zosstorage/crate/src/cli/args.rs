//! Arguments to values.

use crate::config::layer::Layer;
use crate::config::{LogLevel, Topology};
use crate::error::{Error, Result};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    Provision,
    Plan,
    Show,
    Help,
    Version,
}

/// A command line that was understood.
#[derive(Debug, PartialEq)]
pub struct Args {
    /// What to do.
    pub action: Action,
    /// File in place of the default one.
    pub config: Option<PathBuf>,
    /// Digest that the plan must have.
    pub expected: Option<String>,
    /// JSON in place of text.
    pub json: bool,
    /// The flags that are configuration.
    pub layer: Layer,
}

/// Reads arguments, without the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut found =
        Args { action: Action::Provision, config: None, expected: None, json: false, layer: Layer::default() };
    let mut command: Option<String> = None;
    let mut dry = false;
    let usage = |error: lexopt::Error| Error::Usage(error.to_string());
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("config") => found.config = Some(PathBuf::from(parser.value().map_err(usage)?)),
            Long("topology") => {
                found.layer.topology = Some(one_of(&text(&mut parser)?, "topology", &Topology::ALL)?);
            }
            Long("fstab") => found.layer.fstab.enabled = Some(true),
            Long("report") => found.layer.report.path = Some(text(&mut parser)?),
            Long("log-level") => {
                let levels = [
                    ("error", LogLevel::Error),
                    ("warn", LogLevel::Warn),
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                ];
                found.layer.logging.level = Some(one_of(&text(&mut parser)?, "log-level", &levels)?);
            }
            Long("log-to-file") => found.layer.logging.to_file = Some(true),
            Long("plan") => found.expected = Some(text(&mut parser)?),
            Long("dry-run") => dry = true,
            Long("show") => found.action = Action::Show,
            Long("json") => found.json = true,
            Long("force") => return Err(Error::Unimplemented),
            Long("help") | Short('h') => found.action = Action::Help,
            Long("version") | Short('V') => found.action = Action::Version,
            Value(word) if command.is_none() && (word == "plan" || word == "apply") => {
                command = word.into_string().ok();
            }
            other => return Err(usage(other.unexpected())),
        }
    }
    let is_apply = command.as_deref() == Some("apply");
    if (dry || command.as_deref() == Some("plan")) && found.action == Action::Provision {
        found.action = Action::Plan;
    }
    let informs = matches!(found.action, Action::Help | Action::Version);
    if !informs && is_apply != found.expected.is_some() {
        return Err(Error::Usage("apply and --plan DIGEST belong together".to_owned()));
    }
    if !informs && is_apply && found.action != Action::Provision {
        return Err(Error::Usage("apply changes disks, --dry-run and --show do not".to_owned()));
    }
    Ok(found)
}

fn text(parser: &mut lexopt::Parser) -> Result<String> {
    let value = parser.value().map_err(|error| Error::Usage(error.to_string()))?;
    value.into_string().map_err(|odd| Error::Usage(format!("{} is no text", odd.display())))
}

fn one_of<T: Copy>(word: &str, flag: &str, known: &[(&str, T)]) -> Result<T> {
    known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Error::Usage(format!("--{flag} is {word}, expected one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_and_flags() {
        assert_eq!(read("").unwrap().action, Action::Provision);
        for line in ["plan", "--dry-run", "plan --json", "--json plan"] {
            assert_eq!(read(line).unwrap().action, Action::Plan, "{line}");
        }
        assert_eq!(read("--show").unwrap().action, Action::Show);
        assert_eq!(read("plan --help").unwrap().action, Action::Help);
        let apply = read("apply --plan abc --topology=single --log-level debug").unwrap();
        assert_eq!((apply.action, apply.expected.as_deref()), (Action::Provision, Some("abc")));
        assert_eq!(apply.layer.topology, Some(Topology::Single));
        assert_eq!(apply.layer.logging.level, Some(LogLevel::Debug));
    }

    #[test]
    fn what_is_not_understood_ends_with_code_2() {
        for line in [
            "apply",
            "--plan x",
            "--topology raid5",
            "--topology",
            "run",
            "plan plan",
            "--jsn",
            "-x",
            "apply --plan x --show",
        ] {
            assert_eq!(read(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(read("--force").unwrap_err().exit_code(), 14);
    }

    #[test]
    fn help_names_every_flag_and_code() {
        for flag in [
            "config",
            "topology",
            "fstab",
            "report",
            "log-level",
            "log-to-file",
            "plan",
            "dry-run",
            "show",
            "json",
            "force",
        ] {
            assert!(super::super::HELP.contains(&format!("--{flag}")), "{flag}");
        }
        for (name, _) in Topology::ALL {
            assert!(super::super::HELP.contains(name), "{name}");
        }
    }
}
