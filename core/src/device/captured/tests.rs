use std::sync::Arc;

use super::*;
use crate::device::MemoryDevice;
use crate::device::pcapng::tests::tshark;
use crate::event::Reason;
use crate::wire::{ip, tcp};

/// A file that several hold.
#[derive(Clone, Default)]
struct SharedFile(Arc<Mutex<Vec<u8>>>);

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file on a full disk, once its header is in.
struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_header = bytes.starts_with(&[0x0A, 0x0D, 0x0D, 0x0A]);
        if is_header { Ok(bytes.len()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn segment(src: &str, dst: &str, len: usize, gso_size: u16) -> Transmit {
    let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
    let ip = ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, 0);
    let flags = tcp::Flags::ACK | tcp::Flags::PSH;
    let tcp = tcp::Header { src_port: 1, dst_port: 2, seq: 100, flags, ..Default::default() };
    let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
    let payload = Bytes::from(payload);
    Transmit::tcp(ip, &tcp, payload.into(), gso_size, Some(Reason::NewData))
}

fn send(device: &dyn Device, transmits: impl IntoIterator<Item = Transmit>) {
    let mut batch: VecDeque<_> = transmits.into_iter().collect();
    device.send(Instant::ZERO, &mut batch).unwrap();
    assert!(batch.is_empty());
}

#[test]
fn super_segments_both_ways_are_in_the_file_as_whole_packets_of_wire_size() {
    let (a, b) = MemoryDevice::pair(1500, 65_000).unwrap();
    let file = SharedFile::default();
    let a = Captured::new(a, PcapngWriter::new(file.clone(), "a", 0).unwrap());
    send(&a, [segment("10.0.0.1", "10.0.0.2", 3000, 1400)]);
    send(&b, [segment("fd00::2", "fd00::1", 2000, 1400)]);
    let mut frames = Vec::new();
    a.recv(Instant::ZERO, &mut frames).unwrap();
    assert_eq!(frames.len(), 1, "what the host gets is not split");
    let mut sent = Vec::new();
    b.recv(Instant::ZERO, &mut sent).unwrap();
    assert_eq!(sent[0].gso_size, 1400, "nor is what is sent");

    let capture = file.0.lock().unwrap().clone();
    let fields = [
        "frame.packet_flags_direction",
        "tcp.seq_raw",
        "tcp.len",
        "tcp.flags",
        "tcp.checksum.status",
    ];
    let Some(lines) = tshark(&capture, &fields) else { return };
    let expected = [
        "0x00000002|100|1400|0x0010|1",
        "0x00000002|1500|1400|0x0010|1",
        "0x00000002|2900|200|0x0018|1",
        "0x00000001|100|1400|0x0010|1",
        "0x00000001|1500|600|0x0018|1",
    ];
    assert_eq!(lines, expected);
    let expert =
        tshark(&capture, &["_ws.malformed", "ip.checksum.status", "frame.comment"]).unwrap();
    assert_eq!(expert.iter().filter(|line| line.contains("new-data")).count(), 3, "{expert:?}");
}

#[test]
fn when_the_disk_is_full_packets_go_on_and_the_capture_ends_counted() {
    let (a, b) = MemoryDevice::pair(1500, 0).unwrap();
    let a = Captured::new(a, PcapngWriter::new(FullDisk, "a", 0).unwrap());
    send(&a, [segment("10.0.0.1", "10.0.0.2", 1, 0)]);
    send(&a, [segment("10.0.0.1", "10.0.0.2", 1, 0)]);
    let mut frames = Vec::new();
    b.recv(Instant::ZERO, &mut frames).unwrap();
    assert_eq!(frames.len(), 2);
    assert!(a.counters().contains(&("capture_missing", 2)));
}
