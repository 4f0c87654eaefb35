//! What the person at the command line asked to see.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tcpstack::event::Language;

/// What a server shows, and in which language.
pub struct Session {
    /// What the page opens with.
    pub opened: Opened,
    /// The language asked for; none: the browser's.
    pub language: Option<Language>,
}

/// What the page opens with.
pub enum Opened {
    /// A lesson.
    Lesson {
        /// Its number.
        lesson: u32,
        /// One of its scenarios; none: the first.
        scenario: Option<String>,
    },
}

/// The session as the page reads it.
#[derive(Serialize)]
pub(super) struct View {
    language: Option<&'static str>,
    open: Open,
}

/// See [`Opened`].
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Open {
    Lesson { lesson: u32, scenario: Option<String> },
}

pub(super) async fn session(State(session): State<Arc<Session>>) -> Json<View> {
    let language = session.language.map(|language| match language {
        Language::English => "en",
        Language::Chinese => "zh",
    });
    let open = match &session.opened {
        Opened::Lesson { lesson, scenario } => {
            Open::Lesson { lesson: *lesson, scenario: scenario.clone() }
        }
    };
    Json(View { language, open })
}
