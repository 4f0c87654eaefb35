//! What a command says when it fails, in both languages, and the status that it ends with.

use std::fmt::Display;
use std::process::ExitCode;

use tcpstack::event::Language;
use tcpstack_lab::lesson::LessonError;
use tcpstack_lab::run::Text;

use crate::subject::{SubjectError, known_lessons};

/// The status where the command was used wrongly, as that of the command line's reader.
const USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    text: Text,
    is_usage: bool,
}

impl Failure {
    /// Something else was meant, or has to be said with it.
    pub(crate) fn usage(error: &dyn Display, zh: impl Into<String>) -> Failure {
        Failure { text: Text { en: error.to_string(), zh: zh.into() }, is_usage: true }
    }

    /// It was rightly asked for and could not be done.
    pub(crate) fn other(error: &dyn Display, zh: impl Into<String>) -> Failure {
        Failure { text: Text { en: error.to_string(), zh: zh.into() }, is_usage: false }
    }

    /// One that is told in English alone.
    pub(crate) fn english(error: &dyn Display) -> Failure {
        Failure::other(error, error.to_string())
    }

    /// Says it in `language`.
    pub(crate) fn report(&self, language: Language) -> ExitCode {
        eprintln!("tcpstack: {}", self.text.of(language));
        if self.is_usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Failure {
        match &error {
            SubjectError::Unknown { asked } => Failure::usage(
                &error,
                format!("{asked} 既不是文件，也不是课程；课程有：{}", known_lessons()),
            ),
            SubjectError::NoLesson { asked } => Failure::usage(
                &error,
                format!(
                    "没有课程 {asked}：应为其中一课的编号或名称（{}），或以 .toml 结尾的文件",
                    known_lessons()
                ),
            ),
            SubjectError::Folder(path) => Failure::usage(
                &error,
                format!("{} 是文件夹：请指定其中属于同一次运行的文件", path.display()),
            ),
            SubjectError::NoLessons => Failure::usage(&error, "本程序中没有课程：请指定文件"),
            SubjectError::TooMuch(more) => {
                Failure::usage(&error, format!("{more} 多余：应为一课，以及最多一个它的场景"))
            }
            SubjectError::Rules => {
                Failure::usage(&error, "--rule 只用于课程：记录或捕获的内容不能重新运行")
            }
            SubjectError::Play(why) => Failure::usage(&error, why.text().zh),
            SubjectError::Open(why) => Failure::other(&error, why.text().zh),
            SubjectError::Lesson(LessonError::Unreadable { path, message }) => {
                Failure::other(&error, format!("无法读取 {}：{message}", path.display()))
            }
            // What is wrong with a lesson's file is told to whoever writes it, in English.
            SubjectError::Lesson(LessonError::Wrong { file, line, message }) => {
                Failure::other(&error, format!("{file} 第 {line} 行有误：{message}"))
            }
        }
    }
}
