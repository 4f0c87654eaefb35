//! Prints what each contender makes of bad links and how two flows share one, in virtual time: a line
//! of JSON per cell on standard output; progress, and at the end in how many cells each control is
//! ahead of smoltcp, on standard error. See `tcpstack_benches::recovery`.

use std::time::Duration;

use tcpstack_benches::recovery::fairness::{self, two_flows_bit_per_s};
use tcpstack_benches::recovery::{Contender, Scenario, Trouble, tail_loss_rtts};

/// Each cell is the mean over these seeds.
const SEEDS: std::ops::Range<u64> = 0..5;

const RATES_BIT_PER_S: [u64; 2] = [10_000_000, 100_000_000];
const RTTS_MS: [u64; 2] = [10, 100];
const TROUBLES: [Trouble; 6] = [
    Trouble::Loss(0.0),
    Trouble::Loss(0.001),
    Trouble::Loss(0.01),
    Trouble::Loss(0.03),
    Trouble::Bursts(0.001),
    Trouble::Reordering(0.02),
];

/// What is moved takes the bottleneck about so long, in seconds.
const SECONDS: u64 = 10;

/// Segments of a message whose last one is lost, and messages in a row.
const TAIL: (usize, u32) = (8, 50);

/// Queues of the bottleneck that two flows share, in bandwidth-delay products.
const QUEUES: [usize; 3] = [1, 2, 4];

/// In how many cells each control is ahead of smoltcp, in the order of [`Contender::ALL`].
#[derive(Default)]
struct Score {
    cells: u32,
    ahead: [u32; Contender::ALL.len()],
}

impl Score {
    /// Takes in a row of the table, smoltcp's cell first; the greater is the better.
    fn count(&mut self, row: &[f64]) {
        self.cells += 1;
        for (ahead, cell) in self.ahead.iter_mut().zip(row) {
            *ahead += u32::from(*cell > row[0]);
        }
    }
}

fn main() {
    let mut score = Score::default();
    for rate_bit_per_s in RATES_BIT_PER_S {
        for rtt_ms in RTTS_MS {
            for trouble in TROUBLES {
                score.count(&goodput_row(rate_bit_per_s, rtt_ms, trouble));
            }
        }
    }
    for rtt_ms in RTTS_MS {
        // Fewer round trips are better.
        score.count(&tail_row(rtt_ms).map(|rtts| -rtts));
    }
    share();
    eprintln!("\rahead of smoltcp:{:60}", "");
    for (contender, ahead) in Contender::ALL.iter().zip(score.ahead).skip(1) {
        eprintln!("  {contender:8} in {ahead} of {} cells", score.cells);
    }
}

fn goodput_row(rate_bit_per_s: u64, rtt_ms: u64, trouble: Trouble) -> [f64; 4] {
    Contender::ALL.map(|contender| {
        eprint!("\r{rate_bit_per_s} bit/s, {rtt_ms} ms, {trouble}, {contender:8}   ");
        let goodput = mean(rate_bit_per_s, Duration::from_millis(rtt_ms), trouble, contender);
        println!(
            "{{\"seeds\":{},\"rate\":{rate_bit_per_s},\"rtt_ms\":{rtt_ms},\"trouble\":\"{trouble}\",\
             \"contender\":\"{contender}\",\"mbit_per_s\":{:.3}}}",
            SEEDS.count(),
            goodput / 1e6
        );
        goodput
    })
}

fn tail_row(rtt_ms: u64) -> [f64; 4] {
    let (segments, count) = TAIL;
    Contender::ALL.map(|contender| {
        let rtts = tail_loss_rtts(contender, Duration::from_millis(rtt_ms), segments, count);
        println!(
            "{{\"tail\":true,\"rtt_ms\":{rtt_ms},\"contender\":\"{contender}\",\"rtts\":{rtts:.2}}}"
        );
        rtts
    })
}

/// Two flows of the same kind on one bottleneck.
fn share() {
    for contender in [Contender::Reno, Contender::Cubic, Contender::Bbr] {
        for products in QUEUES {
            eprint!("\rtwo flows, a queue of {products} products, {contender:20}   ");
            let mut sum = [0.0; 2];
            let mut worst = 1.0_f64;
            for seed in SEEDS {
                let [first, second] = two_flows_bit_per_s(contender, products, seed);
                worst = worst.min(first.min(second) / first.max(second));
                sum = [sum[0] + first, sum[1] + second];
            }
            let [first, second] = sum.map(|sum| sum / SEEDS.count() as f64 / 1e6);
            println!(
                "{{\"fairness\":true,\"seeds\":{},\"rate\":{},\"rtt_ms\":{},\"queue\":{products},\
                 \"contender\":\"{contender}\",\"first\":{first:.3},\"second\":{second:.3},\"worst\":{worst:.3}}}",
                SEEDS.count(),
                fairness::RATE_BIT_PER_S,
                fairness::RTT.as_millis(),
            );
        }
    }
}

fn mean(rate_bit_per_s: u64, rtt: Duration, trouble: Trouble, contender: Contender) -> f64 {
    let amount = usize::try_from(rate_bit_per_s / 8 * SECONDS).expect("64 bits");
    let runs = SEEDS.map(|seed| {
        let scenario = Scenario { rate_bit_per_s, rtt, trouble, seed };
        scenario.goodput_bit_per_s(contender, amount)
    });
    runs.sum::<f64>() / SEEDS.count() as f64
}
