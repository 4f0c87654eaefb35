//! The lessons and their runs: played when they are asked for, again with rules, and compared.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};

use super::beside;
use super::refusal::Refusal;
use crate::book::{self, Book};
use crate::lesson::Lesson;
use crate::run::{Difference, Rule, Run};

/// More rules than anybody sets by hand, and few enough to play with in an instant.
const MOST_RULES: usize = 64;

pub(super) async fn book() -> Json<Book> {
    Json(book::book())
}

pub(super) async fn lessons() -> Json<Vec<Lesson>> {
    Json(Vec::new())
}

pub(super) async fn run(
    Path((lesson, scenario)): Path<(String, String)>,
) -> Result<Json<Run>, Refusal> {
    beside(move || Ok(Json(play(&lesson, &scenario, &[])?))).await
}

/// What to do to the packets of a scenario.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with rules")]
pub(super) struct Again {
    rules: Vec<Rule>,
}

/// A run with rules, and where it parts from the one without.
#[derive(Serialize)]
pub(super) struct Changed {
    run: Run,
    difference: Option<Difference>,
}

pub(super) async fn run_again(
    Path((lesson, scenario)): Path<(String, String)>,
    body: Result<Json<Again>, JsonRejection>,
) -> Result<Json<Changed>, Refusal> {
    let Json(Again { rules }) = body?;
    let _ = (rules, MOST_RULES);
    beside(move || Ok(Json(Changed { run: play(&lesson, &scenario, &[])?, difference: None })))
        .await
}

fn play(lesson: &str, _scenario: &str, _rules: &[Rule]) -> Result<Run, Refusal> {
    let (en, zh) = (format!("There is no lesson {lesson}."), format!("没有第 {lesson} 课。"));
    Err(Refusal::not_found(en, zh))
}
