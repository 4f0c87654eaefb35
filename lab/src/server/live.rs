//! A run that is still going on: read as it grows, and told to the page by server-sent events.
//!
//! What is sent is what differs from what the page has: the events from the first one that is new, and
//! those flights, calls and limits that are new or have changed, each with its index. The id of a message
//! is the number of events that the page has then, so that it can go on from there when it comes back.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use serde::Serialize;
use tcpstack::event::Event;
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;

use super::refusal::Refusal;
use super::session::{Opened, Session};
use crate::recording::follow::Follower;
use crate::run::{CallSpan, Flight, Host, LimitSpan, Run, Text};

/// How often the files are looked at: as often as an eye sees a change.
const EVERY: Duration = Duration::from_millis(100);
/// Events of a run that a page can be told of one by one.
pub(super) const MOST_EVENTS: usize = 20_000;

/// A run as far as it is known, which changes.
#[derive(Clone, Default)]
enum Now {
    /// Nobody has written anything yet.
    #[default]
    Nothing,
    Known(Arc<Run>),
    /// It has become too long for this.
    TooLong,
    /// A file is not what it should be.
    Trouble(String),
}

/// Files that are followed.
pub struct Live {
    paths: Vec<PathBuf>,
    now: watch::Sender<Now>,
}

impl Live {
    /// The files, which need not be there yet; they are followed while a server shows them.
    pub fn new(paths: Vec<PathBuf>) -> Live {
        Live { paths, now: watch::Sender::new(Now::Nothing) }
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Whether there is more than a page can be told of one by one.
    pub(super) fn is_too_long(&self) -> bool {
        matches!(*self.now.borrow(), Now::TooLong)
    }
}

/// Follows the files of a live session, until one of them is no recording or there is too much.
pub(super) async fn follow(session: Arc<Session>) {
    let Opened::Live(live) = &session.opened else { return };
    let mut follower = Follower::new(&live.paths);
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let now = look(&mut follower);
            (follower, now)
        });
        // Without what was read there is nothing to go on with.
        let Ok((read, now)) = read.await else { return };
        follower = read;
        if let Some(now) = now {
            let is_over = matches!(now, Now::TooLong | Now::Trouble(_));
            live.now.send_replace(now);
            if is_over {
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What there is after another look, if that is anything new.
fn look(follower: &mut Follower) -> Option<Now> {
    match follower.read() {
        Ok(false) => None,
        Ok(true) if follower.shown() > MOST_EVENTS => Some(Now::TooLong),
        Ok(true) => Some(Now::Known(Arc::new(follower.run()))),
        Err(error) => Some(Now::Trouble(error.to_string())),
    }
}

/// What has changed.
#[derive(Serialize)]
struct Change<'a> {
    first: usize,
    title: &'a Text,
    hosts: &'a [Host],
    events: &'a [Event],
    flights: Vec<(usize, &'a Flight)>,
    calls: Vec<(usize, &'a CallSpan)>,
    limits: Vec<(usize, &'a LimitSpan)>,
}

impl<'a> Change<'a> {
    /// What `now` has from position `first` on, and else that `before` has not.
    fn from(first: usize, before: Option<&Run>, now: &'a Run) -> Change<'a> {
        Change {
            first,
            title: &now.title,
            hosts: &now.hosts,
            events: now.events.get(first..).unwrap_or_default(),
            flights: changed(before.map_or(&[], |run| &run.flights), &now.flights),
            calls: changed(before.map_or(&[], |run| &run.calls), &now.calls),
            limits: changed(before.map_or(&[], |run| &run.limits), &now.limits),
        }
    }
}

/// What is new or other than before, with its index.
fn changed<'a, T: PartialEq>(before: &[T], now: &'a [T]) -> Vec<(usize, &'a T)> {
    now.iter().enumerate().filter(|(at, one)| before.get(*at) != Some(one)).collect()
}

/// The stream of changes.
pub(super) async fn live(
    State(session): State<Arc<Session>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, Refusal> {
    let Opened::Live(live) = &session.opened else {
        let (en, zh) = ("No program is being watched here.", "这里没有正在观察的程序。");
        return Err(Refusal::not_found(en, zh));
    };
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(tell(live.now.subscribe(), sender, known, Arc::clone(&session)));
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default()))
}

/// Tells one page of every change, until it goes away. It has `known` events already.
async fn tell(
    mut now: watch::Receiver<Now>,
    page: mpsc::Sender<Result<Message, Infallible>>,
    mut known: Option<usize>,
    session: Arc<Session>,
) {
    let mut before: Option<Arc<Run>> = None;
    loop {
        let current = now.borrow_and_update().clone();
        let message = match current {
            Now::Nothing => None,
            Now::Known(run) => {
                let message = change(before.as_deref(), known.take(), &run);
                before = Some(run);
                Some(message)
            }
            Now::TooLong => {
                let _ = page.send(Ok(say("log", &session.open()))).await;
                return;
            }
            Now::Trouble(why) => {
                let (en, zh) =
                    (format!("It cannot be followed: {why}"), format!("无法继续跟踪：{why}"));
                let _ = page.send(Ok(say("trouble", &Text { en, zh }))).await;
                return;
            }
        };
        if let Some(message) = message
            && page.send(Ok(message)).await.is_err()
        {
            return;
        }
        tokio::select! {
            changed = now.changed() => if changed.is_err() { return },
            () = page.closed() => return,
        }
    }
}

/// The message for a page that has `before`, or the first `known` events of something.
fn change(before: Option<&Run>, known: Option<usize>, run: &Run) -> Message {
    let same = |before: &Run| {
        before.events.iter().zip(&run.events).take_while(|(one, other)| one == other).count()
    };
    let first = before.map_or(known.unwrap_or(0).min(run.events.len()), same);
    say("run", &Change::from(first, before, run)).id(run.events.len().to_string())
}

fn say(name: &str, data: &impl Serialize) -> Message {
    // What is said here has string keys and finite numbers: it can always be written.
    Message::default().event(name).json_data(data).unwrap_or_default()
}
