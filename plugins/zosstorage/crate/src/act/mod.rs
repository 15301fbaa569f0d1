//! Acting: does what a plan says, and notes what became of each step.

mod format;
mod mounts;
mod run;
mod subvolume;

use crate::config::Config;
use crate::device::select::Roots;
use crate::error::{Error, Result};
use crate::observe::observe;
use crate::plan::steps::{Outcome, Step, steps, words};
use crate::plan::{Observed, Plan, State, decide};
use std::time::{Duration, Instant};

/// A step with what became of it.
#[derive(Debug)]
pub struct Entry {
    /// The step.
    pub step: Step,
    /// For people.
    pub words: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// The steps of a run with what became of them.
#[derive(Debug, Default)]
pub struct Journal {
    /// Steps, in their order.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// All steps of a plan, not done yet.
    pub fn of(plan: &Plan, config: &Config) -> Journal {
        let entry =
            |step| Entry { step, words: words(step, plan, config), outcome: Outcome::NotDone, took: Duration::ZERO };
        Journal { entries: steps(plan, config).into_iter().map(entry).collect() }
    }

    /// Does a step that may have nothing to do, and notes how it went.
    fn step(&mut self, step: Step, work: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        self.note(step, work, |outcome| *outcome).map(|_| ())
    }

    /// Does a step and notes how it went; gives what it made.
    fn make<T>(&mut self, step: Step, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.note(step, work, |_| Outcome::Done)
    }

    fn note<T>(
        &mut self,
        step: Step,
        work: impl FnOnce() -> Result<T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Result<T> {
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        let outcome = result.as_ref().map_or(Outcome::Failed, outcome);
        for entry in self.entries.iter_mut().filter(|entry| entry.step == step) {
            (entry.outcome, entry.took) = (outcome, took);
            let words = &entry.words;
            match outcome {
                Outcome::Failed => tracing::error!("{words}: failed"),
                Outcome::Done => tracing::info!("{words}"),
                _ => tracing::debug!("{words}: {}", outcome.words()),
            }
        }
        result
    }

    /// Takes over the words of a plan that knows more, such as UUIDs.
    fn reword(&mut self, plan: &Plan, config: &Config) {
        for entry in &mut self.entries {
            if matches!(entry.step, Step::Mount(_) | Step::MountSubvolume(_)) {
                entry.words = words(entry.step, plan, config);
            }
        }
    }
}

/// Does all of a plan. Gives the plan as it is afterwards, read back from the disks.
pub fn act(config: &Config, roots: &Roots, observed: &Observed, plan: Plan, journal: &mut Journal) -> Result<Plan> {
    journal.step(Step::Driver, || format::load_driver(&plan, observed))?;
    let plan = match plan.state {
        State::Provisioned => {
            for index in 0..plan.disks.len() {
                journal.step(Step::Table(index), || Ok(Outcome::AlreadyRight))?;
                journal.step(Step::Boot(index), || Ok(Outcome::AlreadyRight))?;
            }
            for index in 0..plan.filesystems.len() {
                journal.step(Step::Data(index), || Ok(Outcome::AlreadyRight))?;
            }
            plan
        }
        State::Fresh => {
            format::format(config, roots, &plan, observed.udev, journal)?;
            journal.make(Step::ReadBack, || {
                format::settle(observed.udev)?;
                read_back(config, roots, &plan)
            })?
        }
    };
    journal.reword(&plan, config);
    mounts::mount_all(config, roots, &plan, journal)?;
    Ok(plan)
}

/// Looks at the disks anew and decides anew: now everything has to be there.
fn read_back(config: &Config, roots: &Roots, made: &Plan) -> Result<Plan> {
    let named = Config { topology: made.topology, ..config.clone() };
    let failed = |what: String| Error::Act { what: format!("what was made is not what is there now: {what}") };
    let found =
        observe(&named, roots).and_then(|now| decide(&named, &now)).map_err(|error| failed(error.to_string()))?;
    let paths = |plan: &Plan| plan.disks.iter().map(|one| (one.disk.path(), one.role)).collect::<Vec<_>>();
    if found.state != State::Provisioned || paths(&found) != paths(made) {
        return Err(failed(format!("{:?}, expected {:?}", paths(&found), paths(made))));
    }
    Ok(found)
}
