//! The lessons and their runs: played when they are asked for, again with rules, and compared.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::beside;
use super::refusal::Refusal;
use super::session::Session;
use crate::book::{self, Book};
use crate::lesson::Lesson;
use crate::run::{Difference, Rule, Run, Text, difference};
use crate::stage;

/// More rules than anybody sets by hand, and few enough to play with in an instant.
const MOST_RULES: usize = 64;

pub(super) async fn book() -> Json<Book> {
    Json(book::book())
}

pub(super) async fn lessons(State(session): State<Arc<Session>>) -> Json<Vec<Lesson>> {
    Json(session.lessons())
}

pub(super) async fn run(
    State(session): State<Arc<Session>>,
    Path((lesson, scenario)): Path<(String, String)>,
) -> Result<Json<Run>, Refusal> {
    beside(move || Ok(Json(play(&session, &lesson, &scenario, &[])?))).await
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
    State(session): State<Arc<Session>>,
    Path((lesson, scenario)): Path<(String, String)>,
    body: Result<Json<Again>, JsonRejection>,
) -> Result<Json<Changed>, Refusal> {
    let Json(Again { rules }) = body?;
    if rules.len() > MOST_RULES {
        let (en, zh) =
            (format!("{MOST_RULES} rules at most."), format!("最多 {MOST_RULES} 条规则。"));
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, en, zh));
    }
    beside(move || {
        let before = play(&session, &lesson, &scenario, &[])?;
        let run = play(&session, &lesson, &scenario, &rules)?;
        Ok(Json(Changed { difference: difference(&before, &run), run }))
    })
    .await
}

/// The run of a scenario with these rules beside its own.
fn play(session: &Session, lesson: &str, scenario: &str, rules: &[Rule]) -> Result<Run, Refusal> {
    let Some(file) = session.lesson(lesson) else {
        let (en, zh) = (format!("There is no lesson {lesson}."), format!("没有课程 {lesson}。"));
        return Err(Refusal::not_found(en, zh));
    };
    if file.scenario(scenario).is_none() {
        let en = format!("Lesson {lesson} has no scenario {scenario}.");
        let zh = format!("课程 {lesson} 中没有场景 {scenario}。");
        return Err(Refusal::not_found(en, zh));
    }
    stage::play(file, scenario, rules).map_err(|error| {
        let Text { en, zh } = error.text();
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, en, zh)
    })
}
