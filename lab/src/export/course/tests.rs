//! The index as a browser reads it.

use super::*;
use crate::lesson::lessons;

fn course() -> Vec<Lesson> {
    lessons().iter().map(|file| file.lesson.clone()).collect()
}

#[test]
fn every_lesson_and_every_scenario_has_its_link() {
    let lessons = course();
    let index = index(&lessons, Language::Chinese, Language::English, None);
    assert!(index.contains("<html lang=\"zh-CN\">") && index.contains("<a href=\"index.html\">"));
    for lesson in &lessons {
        let page = page_name(lesson);
        assert!(index.contains(&format!("\"{page}#lang=zh\"")), "{page}");
        let scenarios = index.matches(&format!("\"{page}#lesson={}&amp;", lesson.number)).count();
        assert_eq!(scenarios, lesson.scenarios.len(), "{page}");
    }
}

#[test]
fn each_language_leads_to_the_other() {
    let (english, chinese) = (Language::English, Language::Chinese);
    for (first, second) in [(english, chinese), (chinese, english)] {
        assert_eq!(index_name(first, first), "index.html");
        let name = index_name(second, first);
        assert!(index(&[], first, first, None).contains(&format!("href=\"{name}\"")));
        assert!(index(&[], second, first, None).contains("href=\"index.html\""));
    }
}

#[test]
fn what_a_lesson_says_stays_text() {
    let mut lessons = course();
    lessons.truncate(1);
    lessons[0].title.en = "<script>&\"".to_owned();
    lessons[0].summary.en = "in `connect(<&>)`, before".to_owned();
    lessons[0].scenarios[0].title.en = "</ol>".to_owned();
    let index = index(&lessons, Language::English, Language::English, Some(Theme::Dark));
    assert!(index.contains("&lt;script&gt;&amp;&quot;") && !index.contains("<script"));
    assert_eq!(index.matches("</ol>").count(), 1);
    assert!(index.contains("in <code>connect(&lt;&amp;&gt;)</code>, before"));
    assert!(index.contains("color-scheme: dark }"));
}
