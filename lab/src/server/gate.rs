//! Who is let in: the page that this server has given out, in the browser of whoever started it.
//!
//! A site that a browser shows may send requests to 127.0.0.1 as well, and with DNS rebinding it may
//! even read the answers. So a request has to name this server as its host (rebinding names another),
//! to come from no foreign origin, and to know the token.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::page;
use super::refusal::Refusal;

/// Bytes of randomness in a token.
const TOKEN_LEN: usize = 24;

/// What a request is held against.
pub(super) struct Gate {
    token: String,
    /// `127.0.0.1:PORT` and `localhost:PORT`.
    hosts: [String; 2],
    headers: HeaderMap,
}

impl Gate {
    pub(super) fn new(port: u16) -> Result<Gate, getrandom::Error> {
        let mut random = [0; TOKEN_LEN];
        getrandom::fill(&mut random)?;
        let token = random.iter().fold(String::new(), |mut token, byte| {
            // Writing to a string cannot fail.
            let _ = write!(token, "{byte:02x}");
            token
        });
        let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        Ok(Gate { token, hosts, headers: headers() })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = single(headers, HOST).filter(|host| self.hosts.iter().any(|own| own == host));
        // An absolute request target has its own host, which overrides the header (RFC 9112 §3.2.2).
        let target = request.uri().authority().map(|authority| authority.as_str());
        if host.is_none() || target.is_some_and(|target| Some(target) != host) {
            return Err(Refusal::foreign_host(&self.hosts[0]));
        }
        if headers.contains_key(ORIGIN) {
            let origin = single(headers, ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
            if !origin.is_some_and(|origin| self.hosts.iter().any(|own| own == origin)) {
                return Err(Refusal::foreign_origin());
            }
        }
        if !self.is_token(request) {
            return Err(Refusal::wrong_token());
        }
        Ok(())
    }

    /// Whether the query has the token, in a time that does not tell how much of it is right.
    fn is_token(&self, request: &Request) -> bool {
        #[derive(Deserialize)]
        struct Known {
            token: String,
        }
        let known = Query::<Known>::try_from_uri(request.uri());
        known.is_ok_and(|known| known.token.as_bytes().ct_eq(self.token.as_bytes()).into())
    }
}

/// The value of a header that stands there once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// What every answer says to the browser: run nothing but the page's own, keep nothing, frame nothing.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut say = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    say(header::CACHE_CONTROL, "no-store");
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::X_FRAME_OPTIONS, "DENY");
    // The token is part of the address.
    say(header::REFERRER_POLICY, "no-referrer");
    say(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    say(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    headers.insert(header::CONTENT_SECURITY_POLICY, page::policy());
    headers
}

/// Lets a request in or not, and sets the headers of its answer.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let mut response = match gate.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    response.headers_mut().extend(gate.headers.clone());
    if response.status() == StatusCode::FORBIDDEN {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
