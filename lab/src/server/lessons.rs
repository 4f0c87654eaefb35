//! The lessons and their runs: played when they are asked for, again with rules, and compared.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::beside;
use super::refusal::Refusal;
use super::session::Session;
use crate::book::{self, Book};
use crate::lesson::Lesson;
use crate::run::{Difference, Rule, Run, Text, difference};
use crate::stage::{self, PlayError};

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
    named: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<Run>, Refusal> {
    let Path((lesson, scenario)) = named?;
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
    named: Result<Path<(String, String)>, PathRejection>,
    body: Result<Json<Again>, JsonRejection>,
) -> Result<Json<Changed>, Refusal> {
    let Path((lesson, scenario)) = named?;
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
        let known =
            session.lessons().iter().map(|lesson| lesson.number.to_string()).collect::<Vec<_>>();
        let known = known.join(", ");
        let en = format!("There is no lesson {lesson}: expected one of {known}, or a name.");
        let zh = format!("没有课程 {lesson}，现有：{known}，也可以用课程的名字。");
        return Err(Refusal::not_found(en, zh));
    };
    stage::play(file, scenario, rules).map_err(|error| {
        let Text { en, zh } = error.text();
        let status = match error {
            PlayError::NoSuchScenario { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Refusal::new(status, en, zh)
    })
}
