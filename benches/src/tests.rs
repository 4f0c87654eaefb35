use super::hosts::{Hosts, Segmentation};
use super::interfaces::Interfaces;
use super::{Pair, Setting};

const LEN: usize = 3_000_000;

fn every_pair(setting: Setting) -> Vec<(&'static str, Box<dyn Pair>)> {
    vec![
        ("segments", Box::new(Hosts::connect(setting, Segmentation::None))),
        ("super-segments", Box::new(Hosts::connect(setting, Segmentation::Super))),
        ("smoltcp", Box::new(Interfaces::connect(setting))),
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
