//! The scripts on the kernel's own TCP: which of them Linux passes, which not, and what can't be
//! asked of it. In real time and as root, so it runs only when it is asked for.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;

use crate::runner::{self, Driver};

/// Runs at a time: nearly all of them wait nearly always.
const AT_A_TIME: usize = 16;
/// What lasts longer is left out.
const LONGEST_US: u64 = 120_000_000;

/// How a script went.
#[derive(Clone)]
enum Outcome {
    Passes,
    /// What differed first.
    Differs(String),
    /// Why it can't be run.
    LeftOut(String),
}

/// Runs the scripts at `paths` and prints how each went. It fails when Linux does something that
/// no script says of it.
pub(crate) fn main(root: &Path, paths: &[PathBuf]) -> ExitCode {
    let outcomes = run(paths);
    let mut counts = [0; 3];
    let mut is_as_said = true;
    for (path, (outcome, differs)) in paths.iter().zip(outcomes) {
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
        let (column, as_said, text) = match (outcome, differs) {
            (Outcome::Passes, None) => (0, true, "passes".to_owned()),
            (Outcome::Passes, Some(why)) => (0, false, format!("PASSES, not so: {why}")),
            (Outcome::Differs(difference), None) => (1, false, format!("DIFFERS\n{difference}")),
            (Outcome::Differs(_), Some(why)) => (1, true, format!("differs: {why}")),
            (Outcome::LeftOut(why), _) => (2, true, format!("left out: {why}")),
        };
        is_as_said &= as_said;
        counts[column] += 1;
        println!("{:<44} {text}", name.display());
    }
    let [passed, differ, left_out] = counts;
    println!("{passed} pass, {differ} differ, {left_out} left out");
    if is_as_said { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How each script went, and why it differs from Linux if it says so. Some run at a time, on threads
/// that move from one network namespace to the next.
fn run(paths: &[PathBuf]) -> Vec<(Outcome, Option<String>)> {
    let next = AtomicUsize::new(0);
    let (say, hear) = channel();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(path) = paths.get(index) else { return };
                    // Whoever hears is there until the last has spoken.
                    let _ = say.send((index, run_one(path)));
                }
            });
        }
    });
    drop(say);
    let mut outcomes: Vec<_> = hear.iter().collect();
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn run_one(path: &Path) -> (Outcome, Option<String>) {
    let script = match runner::parse(path) {
        Ok(script) => script,
        Err(message) => return (Outcome::Differs(message), None),
    };
    let mut outcome = Outcome::Passes;
    if let Some(why) = runner::left_out(&script, LONGEST_US) {
        outcome = Outcome::LeftOut(why);
    } else {
        // Both versions of IP at once.
        thread::scope(|scope| {
            let run = |family| {
                let script = &script;
                scope.spawn(move || runner::run_under(script, Driver::Linux, family))
            };
            let runs: Vec<_> = script.settings.families.iter().copied().map(run).collect();
            for run in runs {
                if let Err(difference) = run.join().expect("a run does not panic") {
                    outcome = Outcome::Differs(difference);
                }
            }
        });
    }
    (outcome, script.settings.differs_from_linux)
}
