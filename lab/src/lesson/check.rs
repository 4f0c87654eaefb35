//! From a lesson's file to a lesson: every name is found, every part fits the others, and scenarios that
//! extend others have become whole.

use std::time::Duration;

use toml::Spanned;

use super::calls::{self, Context};
use super::error::Fault;
use super::format::{ExperimentToml, LessonToml, ProgramToml, ScenarioToml, SectionToml};
use super::hosts::{host_index, merge_hosts, merge_links, two_hosts};
use super::moments;
use super::plan::{HostPlan, Program, Scenario};
use super::{Experiment, Lesson, LessonFile, ScenarioHead, Section};
use crate::run::{Listing, Text};

/// How long a scenario runs at most, where it does not say.
const UNTIL: Duration = Duration::from_secs(600);
const SCENARIOS_MAX: usize = 32;
const PROGRAMS_MAX: usize = 16;
const CALLS_MAX: usize = 256;
/// Characters of a program's source.
const LISTING_MAX: usize = 64 << 10;

/// Gives the text of a file that stands beside the lesson; an error says why not.
pub(super) type Beside<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// Checks a whole file.
pub(super) fn lesson(toml: LessonToml, beside: &Beside<'_>) -> Result<LessonFile, Fault> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut heads = Vec::new();
    if toml.scenarios.is_empty() || toml.scenarios.len() > SCENARIOS_MAX {
        return Err(Fault::new(0..0, format!("expected 1 to {SCENARIOS_MAX} scenarios")));
    }
    for scenario in toml.scenarios {
        let (scenario, head) = self::scenario(scenario, &scenarios, beside)?;
        scenarios.push(scenario);
        heads.push(head);
    }
    let sections = toml.sections.into_iter().map(|section| self::section(section, &scenarios));
    let lesson = Lesson {
        number: toml.number.small(),
        id: toml.id.0,
        title: toml.title,
        summary: toml.summary,
        sections: sections.collect::<Result<_, Fault>>()?,
        scenarios: heads,
    };
    Ok(LessonFile { lesson, scenarios })
}

fn section(section: SectionToml, scenarios: &[Scenario]) -> Result<Section, Fault> {
    let scenario = section.scenario.as_ref().map(|id| find(id, scenarios)).transpose()?;
    for landmark in &section.landmarks {
        let mut its = scenario.iter().flat_map(|scenario| &scenario.landmarks);
        if !its.any(|known| known.id == *landmark.get_ref()) {
            let message =
                format!("`{}`: expected a landmark of the section's scenario", landmark.get_ref(),);
            return Err(Fault::new(landmark.span(), message));
        }
    }
    Ok(Section {
        title: section.title,
        text: section.text,
        scenario: section.scenario.map(Spanned::into_inner),
        landmarks: section.landmarks.into_iter().map(Spanned::into_inner).collect(),
    })
}

fn find<'a>(id: &Spanned<String>, above: &'a [Scenario]) -> Result<&'a Scenario, Fault> {
    let found = above.iter().find(|scenario| scenario.id == *id.get_ref());
    found.ok_or_else(|| {
        let ids: Vec<&str> = above.iter().map(|scenario| scenario.id.as_str()).collect();
        let message = match ids.is_empty() {
            true => format!("`{}`: no scenario stands above this one", id.get_ref()),
            false => format!("`{}`: expected a scenario above: {}", id.get_ref(), ids.join(", ")),
        };
        Fault::new(id.span(), message)
    })
}

/// A scenario and its head; `above` are those that it may extend.
fn scenario(
    toml: ScenarioToml,
    above: &[Scenario],
    beside: &Beside<'_>,
) -> Result<(Scenario, ScenarioHead), Fault> {
    let at = toml.id.span();
    let id = toml.id.into_inner().0;
    if above.iter().any(|known| known.id == id) {
        return Err(Fault::new(at, format!("there is a scenario `{id}` already")));
    }
    let base = toml.extends.as_ref().map(|base| find(base, above)).transpose()?;
    let is_extension = base.is_some();
    let mut scenario = base.cloned().unwrap_or_else(fresh);
    scenario.id.clone_from(&id);
    scenario.title.clone_from(&toml.title);
    scenario.seed = toml.seed.map_or(scenario.seed, |seed| seed.0);
    scenario.until = toml.until.map_or(scenario.until, |until| until.0);
    merge_hosts(&mut scenario.hosts, &mut scenario.links, toml.hosts, is_extension)?;
    merge_links(&scenario.hosts, &mut scenario.links, &toml.link)?;
    scenario.rules.extend(moments::rules(&toml.rules, &scenario.hosts, true)?);
    merge_programs(&mut scenario, toml.programs, beside)?;
    for injection in toml.injections {
        scenario.injections.push(moments::injection(injection, &scenario.hosts)?);
    }
    // What a text says of one run need not be true of another: these are not inherited.
    scenario.landmarks = moments::landmarks(toml.landmarks, &scenario.hosts)?;
    let experiments = toml.experiments.into_iter();
    let experiments = experiments.map(|entry| experiment(entry, &scenario.hosts));
    let head = ScenarioHead {
        id,
        title: toml.title,
        text: toml.text,
        beside: beside_ids(&toml.beside, above)?,
        view: toml.view,
        experiments: experiments.collect::<Result<_, Fault>>()?,
    };
    if scenario.programs.is_empty() && scenario.injections.is_empty() {
        return Err(Fault::new(at, "nothing happens: expected a [[scenario.program]]"));
    }
    Ok((scenario, head))
}

fn fresh() -> Scenario {
    let (hosts, links) = two_hosts();
    Scenario {
        id: String::new(),
        title: Text::default(),
        seed: 1,
        until: UNTIL,
        hosts,
        links,
        rules: Vec::new(),
        programs: Vec::new(),
        injections: Vec::new(),
        landmarks: Vec::new(),
    }
}

fn beside_ids(given: &[Spanned<String>], above: &[Scenario]) -> Result<Vec<String>, Fault> {
    let found = given.iter().map(|id| find(id, above).map(|scenario| scenario.id.clone()));
    found.collect()
}

fn experiment(entry: ExperimentToml, hosts: &[HostPlan]) -> Result<Experiment, Fault> {
    Ok(Experiment { text: entry.text, rules: moments::rules(&entry.rules, hosts, false)? })
}

/// Replaces the programs that have the names, and adds the others.
fn merge_programs(
    scenario: &mut Scenario,
    given: Vec<ProgramToml>,
    beside: &Beside<'_>,
) -> Result<(), Fault> {
    for entry in given {
        let at = entry.host.span();
        let program = program(entry, &scenario.hosts, beside)?;
        scenario.programs.retain(|other| other.name != program.name);
        let taken = scenario.listings().find(|listing| is_clash(listing, &program.listings));
        if let Some(listing) = taken {
            let message = format!("another host has a listing `{}` already", listing.file);
            return Err(Fault::new(at, message));
        }
        scenario.programs.push(program);
        if scenario.programs.len() > PROGRAMS_MAX {
            return Err(Fault::new(at, format!("expected {PROGRAMS_MAX} programs at most")));
        }
    }
    Ok(())
}

/// Whether a file of the same name is another host's: lines name files by their names alone.
fn is_clash(listing: &Listing, others: &[Listing]) -> bool {
    others.iter().any(|other| other.file == listing.file && other.host != listing.host)
}

fn program(entry: ProgramToml, hosts: &[HostPlan], beside: &Beside<'_>) -> Result<Program, Fault> {
    let host = host_index(&entry.host, hosts)?;
    let at = entry.host.span();
    if hosts[host].outside {
        return Err(Fault::new(at, "no program runs on a host with `outside = true`"));
    }
    if entry.calls.len() > CALLS_MAX {
        return Err(Fault::new(at, format!("expected {CALLS_MAX} calls at most")));
    }
    let listings = entry.listings.iter().map(|path| listing(path, host, beside));
    let listings: Vec<Listing> = listings.collect::<Result<_, Fault>>()?;
    let shown: Vec<&Listing> = listings.iter().collect();
    let context = Context { hosts, listings: &shown };
    let steps = entry.calls.into_iter().map(|call| calls::step(call, &context));
    let steps = steps.collect::<Result<_, Fault>>()?;
    let name = entry.name.map_or_else(|| entry.host.get_ref().clone(), |name| name.0);
    Ok(Program { name, host, start: entry.start.0, steps, listings })
}

fn listing(path: &Spanned<String>, host: usize, beside: &Beside<'_>) -> Result<Listing, Fault> {
    let name = path.get_ref();
    let refuse = |message: String| Fault::new(path.span(), format!("`{name}`: {message}"));
    let language = match name.rsplit_once('.') {
        Some((_, "c")) => "c",
        Some((_, "py")) => "python",
        _ => return Err(refuse("expected a file that ends in .c or .py".to_owned())),
    };
    let is_below = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if !is_below {
        return Err(refuse("expected a path below the lesson's folder".to_owned()));
    }
    let text = beside(name).map_err(refuse)?;
    if text.len() > LISTING_MAX {
        return Err(refuse(format!("expected {LISTING_MAX} bytes at most")));
    }
    let file = name.rsplit('/').next().unwrap_or(name).to_owned();
    Ok(Listing { file, host, language: language.to_owned(), text })
}
