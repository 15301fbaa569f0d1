//! The command line, and the run as a whole: read, decide, act, report.

mod args;
mod print;

use crate::act::{Journal, act};
use crate::config::layer::{self, Layer};
use crate::config::{Config, DEFAULT_FILE, cmdline};
use crate::device::select::Roots;
use crate::error::{Error, Result};
use crate::observe::observe;
use crate::plan::{Observed, Plan, decide};
use crate::report::{self, Outcome, write_atomically};
use crate::{logging, plan};
pub use args::{Action, Args, parse};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The text of `--help`.
pub const HELP: &str = include_str!("help.txt");

/// Held while disks are changed.
const LOCK: &str = "/run/zosstorage/lock";

/// Runs with the arguments after the program's name, and gives the exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    match run(args, &Roots::default()) {
        Ok(()) => 0,
        Err(error) => {
            let code = error.exit_code();
            if tracing::event_enabled!(tracing::Level::ERROR) {
                tracing::error!(exit_code = code, "{error}");
            } else {
                print::error(&error);
            }
            code
        }
    }
}

fn run(args: impl IntoIterator<Item = OsString>, roots: &Roots) -> Result<()> {
    let args = parse(args)?;
    match args.action {
        Action::Help => return print::text(HELP),
        Action::Version => return print::text(&format!("zosstorage {}\n", env!("CARGO_PKG_VERSION"))),
        _ => {}
    }
    let config = load(args.config.as_deref(), args.layer.clone(), roots)?;
    logging::start(&config.logging)?;
    match args.action {
        Action::Show => print::show(&config, &observe(&config, roots)?, args.json),
        Action::Plan => {
            let observed = observe(&config, roots)?;
            print::plan(&decide(&config, &observed)?, &config, args.json)
        }
        _ => provision(&config, roots, args.expected.as_deref()),
    }
}

/// Reads all layers and lays them over each other.
fn load(named: Option<&Path>, flags: Layer, roots: &Roots) -> Result<Config> {
    let read = |path: &Path| -> Result<Layer> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Config { place: path.display().to_string(), what: error.to_string() })?;
        layer::parse(&text, &path.display().to_string())
    };
    let file = match named {
        Some(path) => read(path)?,
        None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE))?,
        None => Layer::default(),
    };
    let kernel = std::fs::read_to_string(roots.proc.join("cmdline")).unwrap_or_default();
    let top = match cmdline::config_path(&kernel) {
        Some(path) => read(&PathBuf::from(path))?,
        None => Layer::default(),
    };
    Config::new(top.over(flags).over(file))
}

fn provision(config: &Config, roots: &Roots, expected: Option<&str>) -> Result<()> {
    let _lock = lock(Path::new(LOCK))?;
    let observed = observe(config, roots)?;
    let mut journal = Journal::default();
    let decided = decide(config, &observed).and_then(|plan| match expected {
        Some(digest) if digest != plan.digest => {
            Err(Error::Moved(format!("the plan is {} by now, expected {digest}; see zosstorage plan", plan.digest)))
        }
        _ => Ok(plan),
    });
    let state = decided.as_ref().ok().map(|plan| plan.state);
    let mut planned = None;
    let result = decided.and_then(|plan| {
        journal = Journal::of(&plan, config);
        planned = Some(plan.clone());
        act(config, roots, &observed, plan, &mut journal)
    });
    finish(config, &observed, state, planned, &journal, result)
}

fn finish(
    config: &Config,
    observed: &Observed,
    state: Option<plan::State>,
    planned: Option<Plan>,
    journal: &Journal,
    result: Result<Plan>,
) -> Result<()> {
    let (plan, error) = match &result {
        Ok(plan) => (Some(plan), None),
        Err(error) => (planned.as_ref(), Some(error)),
    };
    let outcome = Outcome { observed: Some(observed), plan, state, journal: Some(journal), error };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    let value = report::report(config, &outcome, now);
    let text = format!("{value:#}\n");
    let written = write_atomically(Path::new(&config.report.path), text.as_bytes(), 0o644);
    match result {
        // The first failure is what people have to see; that of the report is beside the point.
        Err(error) => {
            if let Err(second) = written {
                tracing::error!("{second}");
            }
            Err(error)
        }
        Ok(plan) => {
            for note in &plan.notes {
                tracing::warn!("{note}");
            }
            let words = if state == Some(plan::State::Fresh) { "provisioned" } else { "already provisioned" };
            tracing::info!(topology = plan.topology.name(), report = %config.report.path, "{words}");
            written
        }
    }
}

/// Keeps a second run out for as long as the file is open.
fn lock(path: &Path) -> Result<std::fs::File> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).map_err(Error::write(path))?;
    let file =
        std::fs::File::options().write(true).create(true).truncate(false).open(path).map_err(Error::write(path))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| Error::Busy(path.to_owned()))?;
    Ok(file)
}
