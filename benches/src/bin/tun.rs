//! Measures over TUN, the kernel's TCP as the client: `bench-tun [ROW...]`, as root (see
//! `tcpstack_benches::turns`). `serve` and `client` are the parts that it starts itself (see
//! `tcpstack_benches::tun`).

use std::io;
use std::process::ExitCode;

use tcpstack_benches::tun::{self, Namespace, ROWS, Task, client};
use tcpstack_benches::turns::{self, Contender, Measured, Row};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.split_first() {
        Some((mode, rest)) if mode == "serve" => Task::parse(rest).and_then(Task::serve),
        Some((mode, rest)) if mode == "client" => Task::parse(rest).and_then(|task| {
            for (name, value) in client::measure(task)? {
                println!("{name} {value}");
            }
            Ok(())
        }),
        _ => turns::run(&ROWS.each_ref().map(row), &words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-tun: {error}");
            ExitCode::FAILURE
        }
    }
}

fn row(row: &'static tun::Row) -> Row {
    Row::new(row.name, move || {
        let contenders = row.contenders.iter();
        let contender = move |&contender: &tun::Contender| {
            Contender::new(contender.to_string(), move || measure(Task { row, contender }))
        };
        contenders.map(contender).collect()
    })
}

/// One contender's turn, in a namespace that nobody has used before; what the client printed.
fn measure(task: Task) -> io::Result<Measured> {
    let namespace = Namespace::create()?;
    let mut arguments = vec!["serve".to_owned()];
    arguments.extend(task.to_words());
    let printed = namespace.run_self(&arguments)?;
    let unexpected = || io::Error::other(format!("the client printed `{}`", printed.trim()));
    let parse = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    printed.lines().map(|line| parse(line).ok_or_else(unexpected)).collect()
}
