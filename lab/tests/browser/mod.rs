//! A server of the test's own, and a client that says what a browser never would: foreign hosts, two
//! origins, no token.
#![allow(dead_code, reason = "each test uses its part of the browser")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use serde_json::Value;
use tcpstack::event::Language;
use tcpstack_lab::server::{Opened, Server, ServerError, Session};

/// Somebody who knows the address that was printed.
pub(crate) struct Browser {
    pub(crate) port: u16,
    pub(crate) token: String,
}

/// Serves the first lesson, in 中文, on `port`.
pub(crate) fn serve(port: u16) -> Result<Browser, ServerError> {
    let opened = Opened::Lesson { lesson: 1, scenario: None, own: None };
    open(port, Session::new(opened, Some(Language::Chinese)))
}

pub(crate) fn open(port: u16, session: Session) -> Result<Browser, ServerError> {
    let server = Server::bind(port, session)?;
    let url = server.url();
    thread::spawn(|| server.run().unwrap());
    let url = url.strip_prefix("http://127.0.0.1:").unwrap();
    let (port, token) = url.split_once("/?token=").unwrap();
    Ok(Browser { port: port.parse().unwrap(), token: token.to_owned() })
}

/// The error of a refusal, in English; it has to be there in both languages.
pub(crate) fn error(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["error"]["zh"].as_str().is_some_and(|text| !text.is_ascii()), "{body}");
    body["error"]["en"].as_str().unwrap().to_owned()
}

pub(crate) fn open_lesson() -> Browser {
    serve(0).unwrap()
}

impl Browser {
    /// A request that has everything it needs.
    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let and = if path.contains('?') { '&' } else { '?' };
        self.bare(method, &format!("{path}{and}token={}", self.token))
    }

    /// A request without a token of its own.
    pub(crate) fn bare(&self, method: &str, target: &str) -> Request {
        Request {
            port: self.port,
            line: format!("{method} {target} HTTP/1.1"),
            host: format!("127.0.0.1:{}", self.port),
            of_type: "application/json".to_owned(),
            headers: String::new(),
            body: String::new(),
        }
    }
}

pub(crate) struct Request {
    port: u16,
    line: String,
    host: String,
    of_type: String,
    headers: String,
    body: String,
}

impl Request {
    pub(crate) fn host(mut self, host: &str) -> Request {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Request {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    pub(crate) fn of_type(mut self, of_type: &str) -> Request {
        self.of_type = of_type.to_owned();
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Request {
        self.body = body.to_owned();
        self
    }

    /// Sends it, and reads the answer up to its end.
    pub(crate) fn send(self) -> Answer {
        let (mut answer, mut reader) = self.open();
        let len = answer.header("content-length").parse().unwrap();
        let mut body = vec![0; len];
        reader.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Sends it, and reads the head of the answer alone.
    pub(crate) fn head(self) -> Answer {
        self.open().0
    }

    /// Sends it, and reads the head of the answer; the rest is to be read.
    pub(crate) fn open(self) -> (Answer, BufReader<TcpStream>) {
        let Request { line, host, of_type, headers, body, .. } = &self;
        let len = body.len();
        let request = format!(
            "{line}\r\nHost: {host}\r\nContent-Type: {of_type}\r\nContent-Length: {len}\r\n{headers}\r\n{body}"
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A server that has refused the head may not read the body.
        let _ = stream.write_all(request.as_bytes());
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        (Answer { status, headers: lines.split_off(1), body: String::new() }, reader)
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<String>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values = self.headers.iter().filter_map(|line| line.split_once(": "));
        let mut named = values.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.next().map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
