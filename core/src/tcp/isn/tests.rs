use std::net::SocketAddr;
use std::time::Duration;

use super::IsnGenerator;
use crate::time::Instant;

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const NOW: Instant = Instant::from_micros(1_000_000);

#[test]
fn the_same_connection_moves_on_by_one_every_four_microseconds() {
    // RFC 9293 §3.4.1 (MUST-8); RFC 6528 §3.
    let generator = IsnGenerator::new((1, 2));
    let (local, remote) = (addr("10.0.0.1:80"), addr("10.0.0.2:5000"));
    let first = generator.isn(NOW, local, remote);
    assert_eq!(generator.isn(NOW, local, remote), first);
    let later = generator.isn(NOW + Duration::from_secs(1), local, remote);
    assert_eq!(later.wrapping_sub(first), 250_000);
}

#[test]
fn any_difference_gives_another_sequence_space() {
    // RFC 9293 §3.4.1 (SHLD-1, MUST-9); RFC 6528 §3.
    let (local, remote) = (addr("10.0.0.1:80"), addr("10.0.0.2:5000"));
    let generator = IsnGenerator::new((1, 2));
    let all = [
        generator.isn(NOW, local, remote),
        generator.isn(NOW, remote, local),
        generator.isn(NOW, addr("10.0.0.1:81"), remote),
        generator.isn(NOW, local, addr("10.0.0.2:5001")),
        generator.isn(NOW, local, addr("10.0.0.3:5000")),
        generator.isn(NOW, addr("[::1]:80"), addr("[::2]:5000")),
        IsnGenerator::new((1, 3)).isn(NOW, local, remote),
        IsnGenerator::new((2, 2)).isn(NOW, local, remote),
    ];
    let distinct: std::collections::BTreeSet<u32> = all.into_iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn the_secret_is_not_printed() {
    assert_eq!(format!("{:?}", IsnGenerator::new((12345, 67890))), "IsnGenerator");
}
