use expect_test::expect_file;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tcpstack::event::Language;

use super::words::Word;
use super::*;
use crate::export::tests::{lossy_run, sent};
use crate::run::{Difference, Fate, Question, Subject, Text};

fn material(language: Language) -> Material {
    Material {
        run: lossy_run(),
        book: crate::book::book(),
        lesson: None,
        again: None,
        language,
        has_colour: true,
    }
}

fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '→' => KeyCode::Right,
            '←' => KeyCode::Left,
            '⏎' => KeyCode::Enter,
            '⇥' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        assert_eq!(app.key(KeyEvent::new(code, KeyModifiers::NONE)), Flow::Continue, "{key}");
    }
}

/// What stands on a screen of `width` x `height`.
fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..height {
        let mut row = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            // A wide character covers the cell behind it.
            x += unicode_width::UnicodeWidthStr::width(symbol).max(1) as u16;
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

fn at_repair(language: Language) -> App {
    let mut app = App::new(material(language));
    let repair = sent(&lossy_run(), |record| record.retransmission).unwrap();
    app.go(repair);
    app
}

#[test]
fn the_screens_of_a_small_terminal() {
    let mut app = at_repair(Language::English);
    let views = ["sequence", "buffers", "header", "states", "lesson", "why"];
    for (at, view) in views.iter().enumerate() {
        press(&mut app, &(at + 1).to_string());
        expect_file![format!("tests/{view}-80x24.txt")].assert_eq(&screen(&mut app, 80, 24));
    }
}

#[test]
fn a_wide_screen_has_a_view_beside_the_sequence_and_speaks_chinese() {
    let mut app = at_repair(Language::Chinese);
    expect_file!["tests/wide-zh.txt"].assert_eq(&screen(&mut app, 150, 40));
}

#[test]
fn every_row_is_as_wide_as_the_screen_at_most_whatever_is_shown() {
    for (width, height) in [(72, 20), (80, 24), (131, 30), (132, 30), (250, 70)] {
        for language in [Language::English, Language::Chinese] {
            let mut app = App::new(material(language));
            for view in 1..=6 {
                press(&mut app, &view.to_string());
                for cursor in (0..=app.shown().last()).step_by(17) {
                    app.go(cursor);
                    let text = screen(&mut app, width, height);
                    let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max();
                    assert!(widest.unwrap() <= usize::from(width), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_terminal_too_small_is_told_so() {
    let mut app = App::new(material(Language::English));
    let text = screen(&mut app, 60, 15);
    assert!(text.contains("too small") && text.contains("60x15"), "{text}");
    screen(&mut app, 1, 1);
}

#[test]
fn the_arrows_step_by_event_and_letters_by_segment() {
    let mut app = App::new(material(Language::English));
    press(&mut app, "←→→");
    assert_eq!(app.shown().cursor, 2);
    press(&mut app, "n");
    assert_eq!(app.shown().cursor, sent(&lossy_run(), |_| true).unwrap());
    let syn = app.shown().cursor;
    press(&mut app, "np");
    assert_eq!(app.shown().cursor, syn);
    press(&mut app, "G→");
    assert_eq!(app.shown().cursor, app.shown().last());
    press(&mut app, "g");
    assert_eq!(app.shown().cursor, 0);
}

#[test]
fn a_jump_goes_over_the_minute_of_time_wait() {
    let mut app = App::new(material(Language::English));
    let mut stops = Vec::new();
    while app.shown().cursor < app.shown().last() - 1 {
        press(&mut app, "j");
        stops.push(app.shown().run.events[app.shown().cursor].time_ns / 1_000_000);
    }
    assert_eq!(stops, [320, 620, 60_340]);
}

#[test]
fn playing_stops_at_the_end() {
    let mut app = App::new(material(Language::English));
    press(&mut app, "G← ");
    assert!(app.is_playing());
    app.beat();
    app.beat();
    assert!(!app.is_playing());
}

#[test]
fn there_and_back_again_gives_the_same_screen() {
    let mut app = App::new(material(Language::English));
    let first = screen(&mut app, 100, 30);
    let steps = app.shown().last();
    press(&mut app, &"→".repeat(steps));
    press(&mut app, &"←".repeat(steps));
    assert_eq!(screen(&mut app, 100, 30), first);
}

#[test]
fn a_dropped_segment_is_played_again_and_the_first_difference_is_where_the_cursor_goes() {
    let mut material = material(Language::English);
    material.again = Some(Box::new(|rules| {
        assert_eq!((rules[0].from.as_str(), rules[0].number), ("client", 1));
        let mut run = lossy_run();
        run.flights[0].fate = Fate::Lost;
        let text = Text { en: "the SYN does not arrive".into(), zh: "SYN 没有到达".into() };
        Ok((run, Some(Difference { before: Some(10), after: Some(11), text })))
    }));
    let mut app = App::new(material);
    press(&mut app, "nd");
    assert_eq!((app.runs.len(), app.shown().cursor), (2, 11));
    let text = screen(&mut app, 100, 30);
    assert!(text.contains("First difference: the SYN does not arrive"), "{text}");
    press(&mut app, "c");
    assert_eq!(app.at, 0);
    press(&mut app, "cu");
    assert_eq!(app.runs.len(), 1);
}

#[test]
fn what_really_happened_cannot_be_played_again() {
    let mut app = App::new(material(Language::Chinese));
    press(&mut app, "nd");
    assert_eq!(app.runs.len(), 1);
    assert!(screen(&mut app, 100, 30).contains("只有模拟的运行可以重来"));
}

#[test]
fn a_question_stops_before_its_event_grades_and_explains() {
    let text = |en: &str| Text { en: en.into(), zh: "中文".into() };
    let mut material = material(Language::English);
    let syn_ack = sent(&material.run, |record| record.flags == "SYN|ACK").unwrap();
    let question = |choices: &[&str], answer: &str| Question {
        before: syn_ack,
        host: 1,
        subject: Subject::Flags,
        text: text("Which flags does the answer have?"),
        answer: answer.into(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        explanation: text("A SYN is acknowledged in the SYN of the other side."),
    };
    material.run.questions = vec![question(&["ACK", "SYN|ACK"], "SYN|ACK"), question(&[], "1,448")];
    let mut app = App::new(material);
    press(&mut app, "e");
    assert_eq!(app.shown().cursor, syn_ack - 1);
    assert!(!screen(&mut app, 80, 24).contains("SYN+ACK"));
    press(&mut app, "2");
    let graded = screen(&mut app, 80, 24);
    assert!(graded.contains("Right.") && graded.contains("A SYN is acknowledged"), "{graded}");
    press(&mut app, "x");
    assert_eq!((app.shown().cursor, app.score), (syn_ack, (1, 1)));
    app.runs[0].run.questions.remove(0);
    press(&mut app, "ge1447⏎");
    assert!(screen(&mut app, 80, 24).contains("No, it is 1,448"));
    press(&mut app, "xge");
    press(&mut app, "1448⏎x");
    assert_eq!(app.score, (2, 3));
}

#[test]
fn without_colour_nothing_but_words_and_hatching_tells_things_apart() {
    let mut material = material(Language::English);
    material.has_colour = false;
    let mut app = App::new(material);
    for view in 1..=6 {
        press(&mut app, &format!("{view}n"));
        let mut terminal = Terminal::new(TestBackend::new(150, 40)).unwrap();
        terminal.draw(|frame| draw(frame, &mut app)).unwrap();
        let cells = terminal.backend().buffer().content.iter();
        let coloured = cells.filter(|cell| {
            use ratatui::style::Color::Reset;
            cell.fg != Reset || cell.bg != Reset
        });
        assert_eq!(coloured.count(), 0);
    }
}

#[test]
fn a_box_over_wide_characters_keeps_its_borders() {
    for width in 80..90 {
        let mut app = App::new(material(Language::Chinese));
        press(&mut app, "n2?");
        let text = screen(&mut app, width, 30);
        let rows = text.lines().filter(|row| row.matches('│').count() == 2).count();
        let corners = text.matches(['┌', '┐', '└', '┘']).count();
        assert_eq!(
            (rows, corners),
            (Word::HelpText.of(Language::Chinese).lines().count(), 4),
            "{text}"
        );
    }
}

#[test]
fn control_c_and_q_end_it_whatever_is_shown() {
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    let mut app = App::new(material(Language::English));
    assert_eq!(app.key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), Flow::Quit);
    press(&mut app, "?");
    assert!(screen(&mut app, 80, 24).contains("to the start, to the end"));
    assert_eq!(app.key(control_c), Flow::Quit);
}

#[test]
fn every_word_is_there_in_both_languages() {
    let is_chinese = |text: &str| text.chars().any(|one| ('\u{4e00}'..='\u{9fff}').contains(&one));
    for word in Word::ALL {
        assert!(is_chinese(word.of(Language::Chinese)), "{word:?}");
        let english = word.of(Language::English).replace("中文", "");
        assert!(!is_chinese(&english), "{word:?}");
    }
}

#[test]
fn a_run_without_events_is_shown_as_nothing() {
    let mut material = material(Language::English);
    material.run.events.clear();
    material.run.flights.clear();
    material.run.calls.clear();
    let mut app = App::new(material);
    press(&mut app, "→npjGgde ");
    app.beat();
    for view in 1..=6 {
        press(&mut app, &view.to_string());
        screen(&mut app, 80, 24);
    }
}
