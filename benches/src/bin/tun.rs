//! Measures over TUN, the kernel's TCP as the client: `bench-tun [ROW...]`, as root; `bench-tun --list`
//! names the rows. Progress goes to standard error; for each row, contender and quantity a line of JSON
//! with the values of all rounds goes to standard output. (`serve` and `client` are the parts that it
//! starts itself; see `tcpstack_benches::tun`.)

use std::io;
use std::process::ExitCode;

use tcpstack_benches::report::Report;
use tcpstack_benches::tun::{Namespace, ROWS, Row, Task, client};

/// Each measurement is repeated, the contenders taking turns, so that a slow moment hits them all.
const ROUNDS: usize = 5;

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
        Some((mode, _)) if mode == "--list" => {
            ROWS.iter().for_each(|row| println!("{}", row.name));
            Ok(())
        }
        _ => run_rows(&words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-tun: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the rows of these names, all if there are none.
fn run_rows(names: &[String]) -> io::Result<()> {
    let is_wanted = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    ROWS.iter().filter(is_wanted).try_for_each(run_row)
}

fn run_row(row: &'static Row) -> io::Result<()> {
    let mut report = Report::new(row.name);
    for round in 1..=ROUNDS {
        for &contender in row.contenders {
            eprint!("\r\x1b[K[{round}/{ROUNDS}] {}, {contender} ", row.name);
            for (quantity, value) in measure(Task { row, contender })? {
                report.add(&contender.to_string(), &quantity, value);
            }
        }
    }
    eprint!("\r\x1b[K");
    report.print();
    Ok(())
}

/// One contender's turn, in a namespace that nobody has used before; what the client printed.
fn measure(task: Task) -> io::Result<Vec<(String, f64)>> {
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
