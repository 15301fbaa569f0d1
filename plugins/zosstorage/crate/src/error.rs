//! The one error type, and the exit code of each class of failure.

use std::path::PathBuf;

/// Result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that ends a run. Each class has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is not understood.
    #[error("{0}\nsee zosstorage --help")]
    Usage(String),
    /// A configuration is not understood or contradicts itself; `place` is a file, a flag or a part of it.
    #[error("{place}: {what}")]
    Config {
        /// File or flag.
        place: String,
        /// What was found and what was expected.
        what: String,
    },
    /// No disk may be used at all.
    #[error("no disk may be used: {0}")]
    NoDisks(String),
    /// The disks do not fit the topology.
    #[error("{0}")]
    Topology(String),
    /// At least one target holds something.
    #[error("nothing was changed, since not every disk is empty:\n{}\n{NOT_EMPTY_HINT}", lines(.0))]
    NotEmpty(Vec<String>),
    /// Some of a topology is there and some is not.
    #[error("nothing was changed, since {topology} is only partly there\nthere:\n{}\nmissing:\n{}\n{PARTIAL_HINT}", lines(.there), lines(.missing))]
    Partial {
        /// Which topology was expected.
        topology: String,
        /// What was found.
        there: Vec<String>,
        /// What was not found, or is otherwise.
        missing: Vec<String>,
    },
    /// A program or a file system of the kernel is missing.
    #[error("nothing was changed, since something is missing:\n{}", lines(.0))]
    Missing(Vec<String>),
    /// The disks are not what they were when they were looked at.
    #[error("nothing was changed: {0}")]
    Moved(String),
    /// A change failed after others were made.
    #[error("{what}\nthe report says what was done and what was not")]
    Act {
        /// The step and why it failed.
        what: String,
    },
    /// A mount point or mount is in the way, or mounting failed.
    #[error("{0}")]
    Mount(String),
    /// Something could not be read.
    #[error("{path}: {source}")]
    Read {
        /// File or device.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another run is active.
    #[error("another zosstorage is running (it holds {0})")]
    Busy(PathBuf),
    /// An option that exists and does nothing.
    #[error("--force: unimplemented; zosstorage never overwrites data")]
    Unimplemented,
    /// The report or the fstab could not be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

const NOT_EMPTY_HINT: &str = "hint: leave the disk out (devices.exclude), or erase it yourself if nothing on it is needed (blkdiscard, or wipefs and dd)";

const PARTIAL_HINT: &str = "hint: attach what is missing; or, if a first run was cut short and nothing on these disks is needed, erase them yourself (blkdiscard, or wipefs and dd) and start again";

fn lines(items: &[String]) -> String {
    items.iter().map(|item| format!("  {item}")).collect::<Vec<_>>().join("\n")
}

impl Error {
    /// Name of the class, as the report has it.
    pub fn class(&self) -> &'static str {
        self.entry().0
    }

    /// Exit code of the class. 0 is success, 1 is what a Rust program ends with when it is broken.
    pub fn exit_code(&self) -> u8 {
        self.entry().1
    }

    fn entry(&self) -> (&'static str, u8) {
        match self {
            Error::Usage(_) => ("usage", 2),
            Error::Config { .. } => ("config", 3),
            Error::NoDisks(_) => ("no_disks", 4),
            Error::Topology(_) => ("topology", 5),
            Error::NotEmpty(_) => ("not_empty", 6),
            Error::Partial { .. } => ("partial", 7),
            Error::Missing(_) => ("missing", 8),
            Error::Moved(_) => ("moved", 9),
            Error::Act { .. } => ("act", 10),
            Error::Mount(_) => ("mount", 11),
            Error::Read { .. } => ("read", 12),
            Error::Busy(_) => ("busy", 13),
            Error::Unimplemented => ("unimplemented", 14),
            Error::Write { .. } => ("write", 15),
        }
    }

    /// For `map_err`: reading `path` failed.
    pub fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Read { path, source }
    }

    /// For `map_err`: writing `path` failed.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Write { path, source }
    }
}
