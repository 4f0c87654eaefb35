//! What a segment costs from host to host, and on the way the tables that every packet asks: whose it
//! is, when the next timer is due, what is in flight.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tcpstack::tcp::Seq;
use tcpstack::tcp::recovery::scoreboard::{Departure, Scoreboard};
use tcpstack::time::Instant;
use tcpstack_benches::hosts::{Bulk, Crowd, Segmentation};
use tcpstack_benches::{Pair, Setting};

const SETTING: Setting = Setting { mtu: 1500, buffer: 1 << 20 };

/// Text of a segment, in bytes.
const SEGMENT: usize = 1448;

fn segments(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine/segments");
    const COUNT: usize = 1000;
    group.throughput(Throughput::Bytes((COUNT * SEGMENT) as u64));
    let mut pair = Bulk::connect(SETTING, Segmentation::None);
    pair.transfer(10 * COUNT * SEGMENT);
    group.bench_function("a thousand and their acknowledgments", |bencher| {
        bencher.iter(|| pair.transfer(COUNT * SEGMENT));
    });
    group.finish();
}

/// Finding the connection: a byte to and fro on another connection each time.
fn demux(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine/demux");
    for connections in [1, 1000, 30_000] {
        let mut crowd = Crowd::new(SETTING);
        crowd.open(connections);
        let mut index = 0;
        group.bench_function(format!("a byte to and fro among {connections}"), |bencher| {
            bencher.iter(|| {
                index = (index + 7919) % connections;
                crowd.ping_pong(index, 1)
            });
        });
    }
    group.finish();
}

/// A keepalive and its answer on each of a thousand connections.
fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine/timers");
    let mut crowd = Crowd::new(SETTING);
    crowd.open(1000);
    crowd.keep_alive();
    group.bench_function("a thousand keepalives", |bencher| {
        bencher.iter(|| crowd.pass(Duration::from_secs(7200)));
    });
    group.finish();
}

/// A thousand segments sent, every other one SACKed in blocks, and then all acknowledged.
fn scoreboard(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine/scoreboard");
    let at = |segment: u64| Seq::from_initial(0) + segment * SEGMENT as u64;
    let depart = |board: &mut Scoreboard, segment: u64| {
        board.on_transmit(&Departure {
            start: at(segment),
            end: at(segment + 1),
            segment_size: SEGMENT as u32,
            is_repeat: false,
            now: Instant::from_micros(segment),
            rate: Default::default(),
        });
    };
    group.bench_function("a thousand sent, half of them SACKed, all acknowledged", |bencher| {
        bencher.iter_batched_ref(
            Scoreboard::default,
            |board| {
                (0..1000).for_each(|segment| depart(board, segment));
                for segment in (1..1000).step_by(2) {
                    board.sack(at(segment), at(segment + 1), |_| {});
                }
                board.acknowledge(at(1000), |_| {});
                assert!(board.is_empty());
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, segments, demux, timers, scoreboard);
criterion_main!(benches);
