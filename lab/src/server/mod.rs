//! The page and its data, for the browser of the person who started it, and for nobody else.
//!
//! It listens on 127.0.0.1 alone. A request is answered if it names this very server as its host, comes
//! from no other site and knows the token that the address printed at the start has (`gate.rs`); bodies
//! are bounded. What is served is made elsewhere: lessons are played by the stage, recordings read by
//! `recording`.

mod gate;
mod lessons;
mod live;
mod log;
mod page;
mod refusal;
mod session;

use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use gate::Gate;
use refusal::Refusal;

pub use live::Live;
pub use session::{Opened, Session};

/// The largest body that is read, in bytes: some hundred rules.
const MAX_BODY: usize = 64 * 1024;

/// So many runs are played, or windows read, at once.
const MOST_AT_ONCE: usize = 4;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another program has the port.
    #[error(
        "port {port} is taken by another program: give another one, or --port 0 for any that is free"
    )]
    PortTaken {
        /// Which.
        port: u16,
    },
    /// The port cannot be had for another reason.
    #[error("listening on 127.0.0.1:{port}: {source}")]
    Listen {
        /// Which.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// There is no randomness to make a token of.
    #[error("the system has no randomness for a token: {0}")]
    Token(getrandom::Error),
    /// The threads that serve could not be started, or the listening ended.
    #[error("serving the page: {0}")]
    Serve(#[from] io::Error),
}

/// A server that listens, and has not answered yet.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    gate: Arc<Gate>,
    session: Arc<Session>,
}

impl Server {
    /// Listens on 127.0.0.1; port 0 takes any that is free.
    ///
    /// # Errors
    /// The port is taken, or the system refuses a socket, threads or randomness.
    pub fn bind(port: u16, session: Session) -> Result<Server, ServerError> {
        // Two serve a page; there is one reader. What plays a scenario or reads a long file does it on other
        // threads, and who asks for more at once than those can do waits.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(MOST_AT_ONCE)
            .enable_all()
            .build()?;
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener =
            runtime.block_on(TcpListener::bind(wanted)).map_err(|source| match source.kind() {
                io::ErrorKind::AddrInUse => ServerError::PortTaken { port },
                _ => ServerError::Listen { port, source },
            })?;
        let address = listener.local_addr()?;
        let gate = Arc::new(Gate::new(address.port()).map_err(ServerError::Token)?);
        Ok(Server { runtime, listener, address, gate, session: Arc::new(session) })
    }

    /// The address to open, with the token.
    pub fn url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.gate.token())
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until the process is told to end (Ctrl-C, SIGTERM).
    ///
    /// # Errors
    /// Those of the listening socket.
    pub fn run(self) -> Result<(), ServerError> {
        let Server { runtime, listener, gate, session, .. } = self;
        runtime.spawn(live::follow(Arc::clone(&session)));
        let result = runtime.block_on(async {
            tokio::select! {
                result = axum::serve(listener, router(gate, session)).into_future() => result,
                result = told_to_end() => result,
            }
        });
        // A live stream never ends by itself, and a scenario may be playing: nobody waits for them.
        runtime.shutdown_background();
        Ok(result?)
    }
}

async fn told_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

/// Every address that there is, behind the gate.
fn router(gate: Arc<Gate>, session: Arc<Session>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/api/session", get(session::session))
        .route("/api/book", get(lessons::book))
        .route("/api/lessons", get(lessons::lessons))
        .route("/api/runs/{lesson}/{scenario}", get(lessons::run).post(lessons::run_again))
        .route("/api/log/window", get(log::window))
        .route("/api/log/overview", get(log::overview))
        .route("/api/live", get(live::live))
        .fallback(|| async { Refusal::nothing_here() })
        .method_not_allowed_fallback(|| async { Refusal::wrong_method() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        // The way is short: what costs more time than it saves does not pay.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(gate, gate::guard))
        .with_state(session)
}

/// What blocks a thread for long, beside what answers.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "It failed.", "执行失败。"))?
}
