//! What every packet costs before the protocol sees it: checksum, headers, segmentation.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tcpstack::wire::packet::Transmit;
use tcpstack::wire::{checksum, ip, tcp};
use tcpstack_benches::pattern;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const MSS: u16 = 1460;

fn segment(payload_len: usize, gso_size: u16) -> Transmit {
    let ip = ip::Header::new(CLIENT, SERVER, ip::PROTOCOL_TCP, 64, 0);
    let header = tcp::Header {
        src_port: 49_152,
        dst_port: 80,
        flags: tcp::Flags::ACK,
        window: 1000,
        ..Default::default()
    };
    Transmit::tcp(ip, &header, Bytes::from(pattern(payload_len)).into(), gso_size, None)
}

fn checksums(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/checksum");
    for len in [40, 1460, 65_160] {
        let data = pattern(len);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("tcpstack/{len}"), |bencher| {
            bencher.iter(|| checksum::sum(black_box(&data)));
        });
        let mut room = vec![0; len];
        group.bench_function(format!("tcpstack copying/{len}"), |bencher| {
            bencher.iter(|| checksum::copy(black_box(&data), black_box(&mut room)));
        });
        group.bench_function(format!("smoltcp/{len}"), |bencher| {
            bencher.iter(|| smoltcp::wire::checksum::data(black_box(&data)));
        });
    }
    group.finish();
}

fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/header");
    let bytes = segment(1460, 0).to_bytes();
    group.bench_function("parse", |bencher| {
        bencher.iter(|| tcp::Header::parse(black_box(&bytes[20..])).map(|(header, _)| header.seq));
    });
    let (header, _) = tcp::Header::parse(&bytes[20..]).expect("a header that was just emitted");
    let ip = ip::Header::new(CLIENT, SERVER, ip::PROTOCOL_TCP, 64, 0);
    group.bench_function("emit", |bencher| {
        bencher.iter(|| Transmit::tcp(ip, black_box(&header), Default::default(), 0, None));
    });
    group.finish();
}

fn segmentation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wire/segmentation");
    let len = 44 * usize::from(MSS);
    let transmit = segment(len, MSS);
    group.throughput(Throughput::Bytes(len as u64));
    group.bench_function("split", |bencher| {
        bencher.iter(|| transmit.clone().segments(|segment| drop(black_box(segment))));
    });
    group.bench_function("split_and_copy_with_checksums", |bencher| {
        bencher.iter(|| transmit.clone().segments(|segment| drop(black_box(segment.to_bytes()))));
    });
    group.finish();
}

criterion_group!(benches, checksums, headers, segmentation);
criterion_main!(benches);
