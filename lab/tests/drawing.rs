//! Drawings as a learner sees them. `UPDATE_EXPECT=1 cargo test -p tcpstack-lab` rewrites them:
//! look at each before committing it.

mod stage;

use expect_test::expect_file;
use stage::plays;
use tcpstack::event::Language;
use tcpstack_lab::diagram::Options;

fn options() -> Options {
    Options { width: 110, language: Language::English, why: false, brief: false }
}

fn width(width: usize) -> Options {
    Options { width, ..options() }
}

/// Compares with `drawings/NAME.txt`.
fn expect(name: &str, drawing: &str) {
    expect_file![format!("{}/tests/drawings/{name}.txt", env!("CARGO_MANIFEST_DIR"))]
        .assert_eq(drawing);
}

#[test]
fn the_flow_of_the_notes() {
    expect("notes", &stage::draw(plays::notes(40), options()));
}

#[test]
fn the_flow_of_the_notes_in_chinese() {
    let options = Options { language: Language::Chinese, ..options() };
    expect("notes-zh", &stage::draw(plays::notes(40), options));
}

#[test]
fn the_flow_of_the_notes_in_eighty_columns() {
    expect("notes-80", &stage::draw(plays::notes(40), width(80)));
}

#[test]
fn the_flow_of_the_notes_with_its_reasons() {
    let options = Options { why: true, ..width(130) };
    expect("notes-why", &stage::draw(plays::notes(40), options));
}

#[test]
fn the_flow_of_the_notes_as_one_host_saw_it() {
    let mut hosts = plays::notes(40);
    hosts.remove(0);
    expect("one-side", &stage::draw(hosts, options()));
}

#[test]
fn segments_in_flight_together_over_a_slow_link() {
    expect("burst", &stage::draw(plays::burst(), options()));
}

#[test]
fn a_lost_segment_and_its_repetition() {
    expect("loss", &stage::draw(plays::loss(), options()));
}

#[test]
fn fins_that_cross() {
    expect("simultaneous-close", &stage::draw(plays::simultaneous_close(), options()));
}

#[test]
fn a_bulk_transfer_in_a_few_rows() {
    expect("bulk", &stage::draw(plays::bulk(), options()));
}

#[test]
fn a_refused_connection() {
    expect("refused", &stage::draw(plays::refused(), options()));
}

/// One server, and two clients one after the other.
fn two_clients() -> Vec<tcpstack_lab::recording::Source> {
    let mut first = plays::notes(40);
    let mut client = stage::Host::new("10.7.0.3:50000", stage::SERVER);
    let mut server = stage::Host::new(stage::SERVER, "10.7.0.3:50000");
    let us = plays::handshake(&mut client, &mut server, 0, 40);
    let us = plays::echo(&mut client, &mut server, us, 40, b"again");
    plays::close(&mut client, &mut server, us, 40, 6);
    // It is listening already.
    server.events.retain(|event| event.time_ns >= 5_000_030_000);
    let server = stage::joined(first.remove(0), server.later(3_000, 1));
    vec![server.source(), first.remove(0).source(), client.later(3_000, 1).source()]
}

#[test]
fn two_clients_and_their_server_on_three_lifelines() {
    expect("together", &stage::draw_together(&two_clients(), width(140)));
}

#[test]
fn the_second_of_two_connections_alone() {
    expect("second", &stage::draw_one(&two_clients(), 2, options()));
}
