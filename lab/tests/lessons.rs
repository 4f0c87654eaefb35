//! Every lesson is a test: each of its scenarios is played, and what its texts say of it is there.
//!
//! `UPDATE_EXPECT=1 cargo test -p tcpstack-lab --test lessons` rewrites `lessons/*.txt`, the events of each
//! scenario, and `lessons/*.tshark.txt`, what tshark remarks on its packets: look at what has changed before
//! committing it.

mod expert_notes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;
use tcpstack::event::Kind;
use tcpstack_lab::lesson::{LessonFile, Scenario, lessons};
use tcpstack_lab::run::{Origin, Rule, Text, lines};
use tcpstack_lab::stage::{Performance, perform};

fn each_scenario(mut check: impl FnMut(&LessonFile, &Scenario, Performance)) {
    for file in lessons() {
        for scenario in &file.scenarios {
            let performance = perform(file, &scenario.id, &[]).unwrap();
            check(file, scenario, performance);
        }
    }
}

fn name(file: &LessonFile, scenario: &Scenario) -> String {
    format!("{}-{}", file.lesson.id, scenario.id)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/lessons")
}

#[test]
fn every_program_does_what_its_lesson_says() {
    each_scenario(|file, scenario, performance| {
        assert_eq!(performance.surprises, Vec::<String>::new(), "{}", name(file, scenario));
    });
}

#[test]
fn every_scenario_goes_as_it_went_before() {
    let mut expected = BTreeSet::new();
    each_scenario(|file, scenario, performance| {
        let path = folder().join(name(file, scenario));
        expect_file![path.with_extension("txt")].assert_eq(&lines(&performance.run));
        expected.extend(["txt", "tshark.txt"].map(|extension| path.with_extension(extension)));
    });
    let there = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(there.collect::<BTreeSet<_>>(), expected, "two files for each scenario");
}

/// What a listing shows is what a reader types in: the C of all of them goes through the compiler, over the
/// system's own sockets and over this stack's, and the Python through Python's.
#[test]
fn every_listing_is_a_program() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = lab.join("lessons/programs");
    let files = || fs::read_dir(&programs).unwrap().map(|entry| entry.unwrap().path());
    let of =
        |kind: &str| files().filter(|file| file.extension().unwrap() == kind).collect::<Vec<_>>();
    let (c, python) = (of("c"), of("py"));
    let stems = |files: &[PathBuf]| {
        files.iter().map(|file| file.file_stem().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(stems(&c), stems(&python), "each program is there in both languages");
    for over_the_stack in [&[][..], &["-include", "tcpstack/bsd.h"]] {
        let mut compiler = Command::new("cc");
        compiler.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
        let output = compiler.arg(lab.join("../include")).args(over_the_stack).args(&c).output();
        let output = output.expect("cc is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let compile = "import sys\nfor name in sys.argv[1:]: compile(open(name).read(), name, 'exec')";
    let output = Command::new("python3").args(["-c", compile]).args(&python).output();
    let output = output.expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    each_scenario(|file, scenario, performance| {
        let again = perform(file, &scenario.id, &[]).unwrap();
        assert!(performance.run == again.run, "{}", name(file, scenario));
        assert!(performance.packets == again.packets, "{}", name(file, scenario));
    });
}

#[test]
fn every_landmark_is_found() {
    each_scenario(|file, scenario, performance| {
        let found: Vec<&str> =
            performance.run.landmarks.iter().map(|landmark| landmark.id.as_str()).collect();
        let planned: Vec<&str> =
            scenario.landmarks.iter().map(|landmark| landmark.id.as_str()).collect();
        assert_eq!(found, planned, "{}", name(file, scenario));
    });
}

#[test]
fn every_segment_has_its_reason_and_its_flight() {
    each_scenario(|file, scenario, performance| {
        let run = &performance.run;
        let flown: BTreeSet<usize> = run.flights.iter().filter_map(|flight| flight.sent).collect();
        for (at, event) in run.events.iter().enumerate() {
            if matches!(event.kind, Kind::SegmentSent(_)) {
                assert!(event.reason.is_some(), "{}: {event:?}", name(file, scenario));
                assert!(flown.contains(&at), "{}: {event:?}", name(file, scenario));
            }
        }
    });
}

#[test]
fn every_rule_meets_a_packet() {
    for file in lessons() {
        for (scenario, head) in file.scenarios.iter().zip(&file.lesson.scenarios) {
            let experiments = head.experiments.iter().map(|experiment| experiment.rules.as_slice());
            // The scenario's own rules alone, and with each experiment's.
            for rules in std::iter::once(&[][..]).chain(experiments) {
                let run = perform(file, &scenario.id, rules).unwrap().run;
                let Origin::Simulated { rules, .. } = &run.origin else { unreachable!("played") };
                for rule in rules {
                    // Several rules may flip bits of one packet; its flight names one of them.
                    let is_same = |met: &Rule| (&met.from, met.number) == (&rule.from, rule.number);
                    let mut met = run.flights.iter().filter_map(|flight| flight.rule);
                    let is_met = met.any(|met| is_same(&rules[met]));
                    assert!(is_met, "{}: {rule:?}", name(file, scenario));
                }
            }
        }
    }
}

/// Every text that a reader sees, with where it stands.
fn texts(file: &LessonFile) -> Vec<(String, &Text)> {
    let lesson = &file.lesson;
    let mut texts =
        vec![("title".to_owned(), &lesson.title), ("summary".to_owned(), &lesson.summary)];
    for section in &lesson.sections {
        texts.push((format!("section {}", section.title.en), &section.title));
        texts.push((format!("section {}", section.title.en), &section.text));
    }
    for (head, scenario) in lesson.scenarios.iter().zip(&file.scenarios) {
        texts.extend([(head.id.clone(), &head.title), (head.id.clone(), &head.text)]);
        texts.extend(head.experiments.iter().map(|one| (head.id.clone(), &one.text)));
        for landmark in &scenario.landmarks {
            let place = format!("{} {}", head.id, landmark.id);
            texts.extend([(place.clone(), &landmark.title), (place, &landmark.text)]);
        }
    }
    texts
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[test]
fn every_text_is_there_in_both_languages() {
    for file in lessons() {
        for (place, text) in texts(file) {
            let place = format!("{}: {place}", file.lesson.id);
            assert!(text.en.chars().any(char::is_alphabetic), "{place} has no English");
            assert!(!text.en.chars().any(is_chinese), "{place}: {}", text.en);
            // A title may be names alone, as `SYN, seq = J`; a sentence is not.
            let is_sentence = text.en.split_whitespace().filter(|word| word.len() > 3).count() > 2;
            assert!(
                !text.zh.trim().is_empty() && (!is_sentence || text.zh.chars().any(is_chinese)),
                "{place}: {}",
                text.zh,
            );
        }
    }
}

#[test]
fn every_question_has_its_answer_among_the_choices() {
    each_scenario(|file, scenario, performance| {
        for question in &performance.run.questions {
            let place = format!("{}: {question:?}", name(file, scenario));
            let is_offered =
                question.choices.is_empty() || question.choices.contains(&question.answer);
            assert!(is_offered && question.before < performance.run.events.len(), "{place}");
            assert!(question.explanation.zh.chars().any(is_chinese), "{place}");
        }
    });
}

#[test]
fn tshark_remarks_on_what_it_did_before() {
    if !expert_notes::is_tshark_here() {
        assert!(std::env::var_os("CI").is_none(), "CI has tshark");
        return;
    }
    each_scenario(|file, scenario, performance| {
        let mut remarks = String::new();
        for (index, host) in scenario.hosts.iter().enumerate().filter(|(_, host)| !host.outside) {
            remarks += &format!("{}\n", host.name);
            for remark in expert_notes::notes(&performance, index) {
                remarks += &format!("  {remark}\n");
            }
        }
        let path = folder().join(format!("{}.tshark.txt", name(file, scenario)));
        expect_file![&path].assert_eq(&remarks);
    });
}
