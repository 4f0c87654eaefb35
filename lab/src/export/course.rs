//! The course as a folder of pages: one for each lesson, and an index in each language.
//!
//! Every file is whole in itself and knows the others by their names alone, so that the folder may lie on a disk or
//! on any web server.

use std::fmt::Write;

use tcpstack::event::Language;

use super::Theme;
use super::svg::escape;
use crate::lesson::Lesson;

/// The file of a lesson's page: `06-loss.html`.
pub fn page_name(lesson: &Lesson) -> String {
    format!("{:02}-{}.html", lesson.number, lesson.id)
}

/// The file of the index in `language`, where `first` is the language that the folder opens in.
pub fn index_name(language: Language, first: Language) -> String {
    if language == first {
        "index.html".to_owned()
    } else {
        format!("index.{}.html", code(language))
    }
}

/// The index of `lessons` in `language`, which leads to their pages and to the index in the other language.
pub fn index(
    lessons: &[Lesson],
    language: Language,
    first: Language,
    theme: Option<Theme>,
) -> String {
    let (lang, title, text, other, other_name) = match language {
        Language::English => (
            "en",
            "tcpstack: the lessons",
            "Each lesson plays connections of a real TCP, to be watched event by event. Every page is whole in \
             itself: it needs no network and no other file.",
            Language::Chinese,
            "中文",
        ),
        Language::Chinese => (
            "zh-CN",
            "tcpstack 课程",
            "每一课都在真实的 TCP 协议栈上演示连接，可以逐个事件观看。每个页面自成一体：不需要网络，也不需要其他文件。",
            Language::English,
            "English",
        ),
    };
    let scheme = match theme {
        None => "light dark",
        Some(Theme::Light) => "light",
        Some(Theme::Dark) => "dark",
    };
    let mut items = String::new();
    lessons.iter().for_each(|lesson| item(&mut items, lesson, language));
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\" />\n\
         <title>{title}</title>\n<style>:root {{ color-scheme: {scheme} }}\n{STYLE}</style>\n</head>\n\
         <body>\n<header><h1>{title}</h1> <a href=\"{}\">{other_name}</a></header>\n\
         <p>{text}</p>\n<ol>\n{items}</ol>\n</body>\n</html>\n",
        index_name(other, first),
    )
}

/// The page's colours (`page/src/theme.css`).
const STYLE: &str = "\
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem; line-height: 1.5;
  font-family: Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif;
  color: light-dark(#1c1b22, #eeedf2); background: light-dark(#ffffff, #1d1f26) }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem }
a { color: light-dark(#1a5fb4, #82b8ff) }
li { margin-top: 0.8rem }
li p, li li { margin: 0.2rem 0 }
li p { color: light-dark(#55535f, #b1b0bd) }
ol > li > a { font-weight: 700 }
ol > li::marker { font-weight: 700 }
";

/// A lesson with its scenarios.
fn item(items: &mut String, lesson: &Lesson, language: Language) {
    let (page, code, number) = (page_name(lesson), code(language), lesson.number);
    let (title, summary) = (lesson.title.of(language), lesson.summary.of(language));
    // Writing to a string cannot fail.
    let _ = writeln!(
        items,
        "<li value=\"{number}\"><a href=\"{page}#lang={code}\">{}</a>\n<p>{}</p>\n<ul>",
        escape(title),
        with_code(summary),
    );
    for scenario in &lesson.scenarios {
        let (id, title) = (escape(&scenario.id), escape(scenario.title.of(language)));
        let link = format!("{page}#lesson={number}&amp;scenario={id}&amp;lang={code}");
        let _ = writeln!(items, "<li><a href=\"{link}\">{title}</a></li>");
    }
    items.push_str("</ul></li>\n");
}

/// A lesson's text, in which backticks are around code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').map(escape).enumerate();
    let part = |(at, text): (usize, String)| match at % 2 {
        0 => text,
        _ => format!("<code>{text}</code>"),
    };
    parts.map(part).collect()
}

/// A language in links and in the names of files.
fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Chinese => "zh",
    }
}

#[cfg(test)]
mod tests;
