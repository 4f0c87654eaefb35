use super::hosts::{Bulk, Crowd, Segmentation};
use super::interfaces;
use super::{Pair, Setting};

const LEN: usize = 3_000_000;

fn every_pair(setting: Setting) -> Vec<(&'static str, Box<dyn Pair>)> {
    vec![
        ("segments", Box::new(Bulk::connect(setting, Segmentation::None))),
        ("super-segments", Box::new(Bulk::connect(setting, Segmentation::Super))),
        ("smoltcp", Box::new(interfaces::Bulk::connect(setting))),
    ]
}

#[test]
fn every_pair_delivers_what_was_sent_whatever_the_buffer() {
    for buffer in [4096, 65_535, 1 << 20] {
        for (name, mut pair) in every_pair(Setting { mtu: 1500, buffer }) {
            // Each checks its bytes against the pattern as they arrive in a debug build.
            pair.transfer(LEN);
            pair.transfer(1);
            println!("{name} with {buffer} bytes");
        }
    }
}

#[test]
fn a_crowd_opens_speaks_and_closes_over_and_over() {
    let setting = Setting { mtu: 1500, buffer: 65_535 };
    interfaces::Crowd::new(setting, 10, 100).churn();
    let mut crowd = Crowd::new(setting);
    for _ in 0..3 {
        crowd.churn(100);
    }
    crowd.open(100);
    for index in 0..100 {
        crowd.ping_pong(index, 3);
    }
}
