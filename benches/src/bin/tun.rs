//! Measures one connection over TUN at MTU 1500 to the kernel, both ways, tcpstack beside smoltcp:
//! `bench-tun`, as root. A line of JSON for each median goes to standard output, progress to standard
//! error. (`serve` and `kernel` are the parts that it starts itself; see `tcpstack_benches::tun`.)

use std::io;
use std::process::ExitCode;

use tcpstack_benches::tun::{Direction, Namespace, Run, Stack, kernel};

/// Each measurement is repeated, the stacks taking turns, so that a slow moment hits them all.
const ROUNDS: usize = 5;

/// smoltcp's own benchmark has the smaller buffers, tcpstack's default is the larger.
const BUFFERS: [usize; 2] = [65_535, 1 << 20];

/// About a second's worth, in bytes.
const AMOUNT: usize = 1_000_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.split_first() {
        None => run_all(),
        Some((mode, rest)) if mode == "serve" => Run::parse(rest).and_then(|run| run.serve()),
        Some((mode, rest)) if mode == "kernel" => Run::parse(rest).and_then(|run| {
            println!("{}", kernel::measure(&run)?.as_secs_f64());
            Ok(())
        }),
        Some((mode, _)) => Err(io::Error::other(format!("`{mode}`: expected serve or kernel"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-tun: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_all() -> io::Result<()> {
    let namespace = Namespace::create()?;
    for direction in [Direction::ToKernel, Direction::FromKernel] {
        for buffer in BUFFERS {
            let mut rates = Stack::ALL.map(|_| Vec::with_capacity(ROUNDS));
            for round in 1..=ROUNDS {
                eprint!("\r[{round}/{ROUNDS}] {direction}, buffers of {buffer} bytes ");
                for (stack, rates) in Stack::ALL.into_iter().zip(&mut rates) {
                    let run = Run { stack, direction, buffer, amount: AMOUNT };
                    rates.push(gbit_per_s(&namespace, &run)?);
                }
            }
            eprintln!();
            for (stack, rates) in Stack::ALL.into_iter().zip(&mut rates) {
                report(stack, direction, buffer, rates);
            }
        }
    }
    Ok(())
}

fn gbit_per_s(namespace: &Namespace, run: &Run) -> io::Result<f64> {
    let mut arguments = vec!["serve".to_owned()];
    arguments.extend(run.to_words());
    let printed = namespace.run_self(&arguments)?;
    let seconds: f64 = printed
        .trim()
        .parse()
        .map_err(|_| io::Error::other(format!("`{}` is not a time in seconds", printed.trim())))?;
    Ok(run.amount as f64 * 8.0 / seconds / 1e9)
}

fn report(stack: Stack, direction: Direction, buffer: usize, rates: &mut [f64]) {
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[rates.len() / 2], rates[rates.len() - 1]);
    println!(
        "{{\"stack\":\"{stack}\",\"rounds\":{ROUNDS},\"direction\":\"{direction}\",\"buffer\":{buffer},\
         \"gbit_per_s\":{median:.3},\"least\":{least:.3},\"most\":{most:.3}}}"
    );
}
