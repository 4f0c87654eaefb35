//! The map of the course notes names lessons, scenarios and moments: each of them exists, and both
//! languages of the map say the same.

use tcpstack_lab::lesson;

const ENGLISH: &str = include_str!("../../docs/NOTES.md");
const CHINESE: &str = include_str!("../../docs/NOTES.zh.md");

/// What stands in the rows of the tables as `LESSON/SCENARIO/MOMENT`, row by row.
fn moments(map: &str) -> Vec<Vec<(u32, &str, &str)>> {
    let rows = map.lines().filter(|line| line.starts_with('|'));
    let rows = rows.map(|row| row.split('`').skip(1).step_by(2).filter_map(moment).collect());
    rows.filter(|row: &Vec<_>| !row.is_empty()).collect()
}

/// `1/open/syn`, or nothing where it is something else that stands in code.
fn moment(code: &str) -> Option<(u32, &str, &str)> {
    let mut parts = code.split('/');
    let (lesson, scenario, moment) = (parts.next()?, parts.next()?, parts.next()?);
    Some((lesson.parse().ok()?, scenario, moment)).filter(|_| parts.next().is_none())
}

#[test]
fn each_moment_of_the_map_is_in_its_lesson() {
    let rows = moments(ENGLISH);
    assert!(rows.len() > 30, "the map has {} rows with moments", rows.len());
    for (number, scenario, moment) in rows.into_iter().flatten() {
        let place = format!("{number}/{scenario}/{moment}");
        let file = lesson::find(&number.to_string()).unwrap_or_else(|| panic!("{place}"));
        let scenario = file.scenario(scenario).unwrap_or_else(|| panic!("{place}"));
        assert!(scenario.landmarks.iter().any(|known| known.id == moment), "{place}");
    }
}

#[test]
fn both_languages_name_the_same_moments_row_by_row() {
    assert_eq!(moments(ENGLISH), moments(CHINESE));
}

/// A moment that no text of its lesson speaks of would be found by nobody.
#[test]
fn each_landmark_is_spoken_of_in_its_lesson() {
    for file in lesson::lessons() {
        for scenario in &file.scenarios {
            let sections = file.lesson.sections.iter();
            let its = sections.filter(|section| section.scenario.as_ref() == Some(&scenario.id));
            let named: Vec<&str> =
                its.flat_map(|section| &section.landmarks).map(String::as_str).collect();
            // A scenario without a section is there to be compared with, or tried.
            for landmark in scenario.landmarks.iter().filter(|_| !named.is_empty()) {
                let place = format!("{}/{}/{}", file.lesson.id, scenario.id, landmark.id);
                assert!(named.contains(&landmark.id.as_str()), "{place}");
            }
        }
    }
}

/// What the notes' readers meet first: all twelve, each with texts of both languages.
#[test]
fn there_are_twelve_lessons() {
    let numbers: Vec<u32> = lesson::lessons().iter().map(|file| file.lesson.number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
}
