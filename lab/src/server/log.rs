//! A recording of any length: by windows, and seen whole.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::beside;
use super::refusal::Refusal;
use super::session::Session;
use crate::recording::log::{Log, LogError, Overview};
use crate::run::Run;

/// Which events.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    first: u64,
    count: Option<u64>,
}

/// Which stretch of time, and how wide it is drawn.
#[derive(Deserialize)]
pub(super) struct Stretch {
    #[serde(default)]
    from_ns: u64,
    until_ns: Option<u64>,
    pixels: Option<u64>,
}

/// Columns where a page does not say how wide it is.
const PIXELS: u64 = 1_000;

pub(super) async fn window(
    State(session): State<Arc<Session>>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Run>, Refusal> {
    let Query(Part { first, count }) = part?;
    beside(move || {
        if let Some(run) = session.whole() {
            return Ok(Json(run.clone()));
        }
        Ok(Json(with_log(&session, |log| log.window(first, count))?))
    })
    .await
}

pub(super) async fn overview(
    State(session): State<Arc<Session>>,
    stretch: Result<Query<Stretch>, QueryRejection>,
) -> Result<Json<Overview>, Refusal> {
    let Query(Stretch { from_ns, until_ns, pixels }) = stretch?;
    let (until_ns, pixels) = (until_ns.unwrap_or(u64::MAX), pixels.unwrap_or(PIXELS));
    beside(move || Ok(Json(with_log(&session, |log| log.overview(from_ns, until_ns, pixels))?)))
        .await
}

/// Asks the recording, after reading what was written to it since.
fn with_log<T>(
    session: &Session,
    ask: impl FnOnce(&Log) -> Result<T, LogError>,
) -> Result<T, Refusal> {
    let log = session.log().map_err(unreadable)?;
    let Some(log) = log else {
        let (en, zh) = ("No recording was opened.", "没有打开任何记录。");
        return Err(Refusal::not_found(en, zh));
    };
    refresh(log).map_err(unreadable)?;
    // A panic under the lock leaves the index as it was.
    ask(&log.read().unwrap_or_else(PoisonError::into_inner)).map_err(unreadable)
}

/// Takes note of what was written since.
pub(super) fn refresh(log: &RwLock<Log>) -> Result<(), LogError> {
    log.write().unwrap_or_else(PoisonError::into_inner).refresh().map(|_| ())
}

fn unreadable(error: LogError) -> Refusal {
    let (en, zh) = (format!("It cannot be read: {error}."), format!("无法读取：{error}。"));
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, en, zh)
}
