//! Two hosts in memory, one connection, one thread, checksums computed: tcpstack beside smoltcp.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tcpstack_benches::hosts::{Bulk, Segmentation};
use tcpstack_benches::interfaces::Interfaces;
use tcpstack_benches::{Pair, Setting};

/// Bytes moved in each measurement.
const LEN: usize = 16 << 20;

fn in_memory(criterion: &mut Criterion) {
    for buffer in [64 * 1024 - 1, 1 << 20] {
        let setting = Setting { mtu: 1500, buffer };
        let mut group = criterion.benchmark_group(format!("in_memory/buffer_{buffer}"));
        group.throughput(Throughput::Bytes(LEN as u64));
        group.sample_size(20).measurement_time(Duration::from_secs(4));
        let mut measure = |name: &str, mut pair: Box<dyn Pair>| {
            group.bench_function(name, |bencher| bencher.iter(|| pair.transfer(LEN)));
        };
        measure("smoltcp", Box::new(Interfaces::connect(setting)));
        measure("tcpstack", Box::new(Bulk::connect(setting, Segmentation::None)));
        measure("tcpstack_super", Box::new(Bulk::connect(setting, Segmentation::Super)));
        group.finish();
    }
}

criterion_group!(benches, in_memory);
criterion_main!(benches);
