//! Prints what each contender makes of bad links, in virtual time: a line of JSON per cell on standard
//! output, progress on standard error. See `tcpstack_benches::recovery`.

use std::time::Duration;

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

fn main() {
    for rate_bit_per_s in RATES_BIT_PER_S {
        for rtt_ms in RTTS_MS {
            for trouble in TROUBLES {
                for contender in Contender::ALL {
                    eprint!("\r{rate_bit_per_s} bit/s, {rtt_ms} ms, {trouble}, {contender:8}   ");
                    let rtt = Duration::from_millis(rtt_ms);
                    let goodput = mean(rate_bit_per_s, rtt, trouble, contender);
                    println!(
                        "{{\"seeds\":{},\"rate\":{rate_bit_per_s},\"rtt_ms\":{rtt_ms},\"trouble\":\"{trouble}\",\
                         \"contender\":\"{contender}\",\"mbit_per_s\":{:.3}}}",
                        SEEDS.count(),
                        goodput / 1e6
                    );
                }
            }
        }
    }
    for rtt_ms in RTTS_MS {
        for contender in Contender::ALL {
            let rtts = tail_loss_rtts(contender, Duration::from_millis(rtt_ms), 8, 50);
            println!(
                "{{\"tail\":true,\"rtt_ms\":{rtt_ms},\"contender\":\"{contender}\",\"rtts\":{rtts:.2}}}"
            );
        }
    }
    eprintln!();
}

fn mean(rate_bit_per_s: u64, rtt: Duration, trouble: Trouble, contender: Contender) -> f64 {
    let amount = usize::try_from(rate_bit_per_s / 8 * SECONDS).expect("64 bits");
    let runs = SEEDS.map(|seed| {
        let scenario = Scenario { rate_bit_per_s, rtt, trouble, seed };
        scenario.goodput_bit_per_s(contender, amount)
    });
    runs.sum::<f64>() / SEEDS.count() as f64
}
