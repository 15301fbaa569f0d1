//! The command line, and the run as a whole: read, decide, act, report.

mod args;
mod print;

use crate::act::{Journal, act};
use crate::config::layer::{self, Layer};
use crate::config::{Config, DEFAULT_FILE, cmdline};
use crate::device::select::Roots;
use crate::error::{Error, Result};
use crate::observe::observe;
use crate::plan::decide;
use crate::report::{self, Run, write_atomically};
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
    let mut run = Run::default();
    let _lock = lock(Path::new(LOCK))?;
    let result = attempt(config, roots, expected, &mut run);
    finish(config, &run, result)
}

fn attempt(config: &Config, roots: &Roots, expected: Option<&str>, run: &mut Run) -> Result<()> {
    let observed = observe(config, roots);
    run.looked = run.start.elapsed();
    let observed = run.observed.insert(observed?);
    let plan = decide(config, observed)?;
    if let Some(digest) = expected.filter(|digest| *digest != plan.digest) {
        let now = &plan.digest;
        return Err(Error::Moved(format!("the plan is {now} by now, expected {digest}; see zosstorage plan")));
    }
    run.state = Some(plan.state);
    run.journal = Journal::of(&plan, config);
    let planned = run.plan.insert(plan).clone();
    run.plan = Some(act(config, roots, observed, planned, &mut run.journal)?);
    Ok(())
}

fn finish(config: &Config, run: &Run, result: Result<()>) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    let value = report::report(config, run, result.as_ref().err(), now);
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
        Ok(()) => {
            for note in run.plan.iter().flat_map(|plan| &plan.notes) {
                tracing::warn!("{note}");
            }
            let topology = run.plan.as_ref().map_or(config.topology, |plan| plan.topology);
            let words = if run.state == Some(plan::State::Fresh) { "provisioned" } else { "already provisioned" };
            tracing::info!(topology = topology.name(), report = %config.report.path, "{words}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_cannot_be_read_is_in_the_report() {
        let config = Config::new(Layer::default()).unwrap();
        let nowhere = Roots { sys: "/nowhere".into(), dev: "/nowhere".into(), proc: "/nowhere".into() };
        let mut run = Run::default();
        let error = attempt(&config, &nowhere, None, &mut run).unwrap_err();
        let value = report::report(&config, &run, Some(&error), 0);
        assert_eq!((value["status"].as_str(), value["error"]["class"].as_str()), (Some("failed"), Some("read")));
        assert!(value["steps"].as_array().unwrap().is_empty());
        assert!(value["milliseconds"]["looking"].as_u64() <= value["milliseconds"]["whole"].as_u64());
    }
}
