//! Where bytes wait: the send buffer and the reassembler.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tcpstack::blocks::{self, Blocks};
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

/// 64 KiB to the middle of another page than theirs, and to nearly the same place of it.
fn copy(criterion: &mut Criterion) {
    const LEN: usize = 64 * 1024;
    const PAGE: usize = 4096;
    let mut group = criterion.benchmark_group("buffers/copy");
    group.throughput(Throughput::Bytes(LEN as u64));
    let from = pattern(LEN);
    let mut memory = vec![1; LEN + 2 * PAGE];
    let same = (from.as_ptr().addr().wrapping_sub(memory.as_ptr().addr())) % PAGE;
    for (place, at) in [("elsewhere", same + PAGE / 2), ("nearly_the_same", same + 16)] {
        let to = &mut memory[at..at + LEN];
        group.bench_function(format!("in_pieces/{place}"), |bencher| {
            bencher.iter(|| blocks::copy(black_box(&from), black_box(to)));
        });
        group.bench_function(format!("memcpy/{place}"), |bencher| {
            bencher.iter(|| black_box(&mut *to).copy_from_slice(black_box(&from)));
        });
    }
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

criterion_group!(benches, copy, send_buffer, reassembler);
criterion_main!(benches);
