//! Where bytes wait: the send buffer and the reassembler.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tcpstack::blocks::Blocks;
use tcpstack::tcp::Seq;
use tcpstack::tcp::reassembler::Reassembler;
use tcpstack::tcp::send_buffer::SendBuffer;
use tcpstack_benches::pattern;

const MSS: usize = 1460;
const SEGMENTS: usize = 700;
const LEN: usize = SEGMENTS * MSS;

fn start() -> Seq {
    Seq::from_initial(0)
}

fn send_buffer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("buffers/send_buffer");
    group.throughput(Throughput::Bytes(LEN as u64));
    let data = pattern(64 * 1024);
    let mut blocks = Blocks::default();
    group.bench_function("write_send_acknowledge", |bencher| {
        bencher.iter(|| {
            let mut buffer = SendBuffer::new(LEN, start());
            while buffer.free() > 0 {
                buffer.push(&data, &mut blocks);
            }
            for at in (0..LEN).step_by(MSS) {
                let seq = start() + at as u64;
                drop(black_box(buffer.payload(seq, MSS)));
                buffer.release(seq + MSS as u64);
            }
        });
    });
    group.finish();
}

/// The order in which segments arrive, the first one last, so that all of them have to wait.
fn arrival_orders() -> [(&'static str, Vec<usize>); 3] {
    let ascending: Vec<usize> = (1..SEGMENTS).collect();
    let descending = ascending.iter().rev().copied().collect();
    let odd_then_even = (1..SEGMENTS).step_by(2).chain((2..SEGMENTS).step_by(2)).collect();
    [("ascending", ascending), ("descending", descending), ("every_other", odd_then_even)]
}

fn reassembler(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("buffers/reassembler");
    group.throughput(Throughput::Bytes(LEN as u64));
    let payload = Bytes::from(pattern(MSS));
    for (name, mut order) in arrival_orders() {
        order.push(0);
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                Reassembler::new,
                |reassembler| {
                    for &segment in &order {
                        reassembler.insert(start() + (segment * MSS) as u64, payload.clone());
                    }
                    let mut next = start();
                    while let Some(data) = reassembler.pop(next) {
                        next += data.len() as u64;
                    }
                    assert_eq!(next, start() + LEN as u64);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, send_buffer, reassembler);
criterion_main!(benches);
