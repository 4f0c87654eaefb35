use super::{Prr, PrrAck};

const SMSS: u64 = 1000;

/// An ACK that delivers one segment.
fn ack(in_flight: u64, ssthresh: u64) -> PrrAck {
    PrrAck { delivered: SMSS, in_flight, ssthresh, smss: SMSS, is_safe: false }
}

/// Sends what the window lets out; returns how many segments.
fn send(prr: &mut Prr, cwnd: u64, in_flight: &mut u64) -> u64 {
    let count = cwnd.saturating_sub(*in_flight) / SMSS;
    prr.on_sent(count * SMSS);
    *in_flight += count * SMSS;
    count
}

#[test]
fn half_the_window_lets_one_segment_out_for_two_delivered() {
    // RFC 6937 §3.
    // RFC 9937: from 20 segments to 10.
    let mut prr = Prr::new(20 * SMSS);
    let mut in_flight = 19 * SMSS; // one is lost
    let mut sent = Vec::new();
    for _ in 0..18 {
        in_flight -= SMSS;
        let cwnd = prr.on_ack(&ack(in_flight, 10 * SMSS));
        sent.push(send(&mut prr, cwnd, &mut in_flight));
    }
    assert_eq!(sent[..6], [1, 0, 1, 0, 1, 0]);
    assert_eq!(in_flight, 10 * SMSS, "at the end of the round trip the flight is ssthresh");
}

#[test]
fn the_first_retransmission_leaves_whatever_the_share() {
    let mut prr = Prr::new(100 * SMSS);
    let tiny = PrrAck { delivered: 1, ..ack(90 * SMSS, 2 * SMSS) };
    assert_eq!(prr.on_ack(&tiny), 91 * SMSS);
    let mut silent = Prr::new(100 * SMSS);
    assert_eq!(silent.on_ack(&PrrAck { delivered: 0, ..tiny }), 91 * SMSS, "by the timer too");
}

#[test]
fn below_ssthresh_no_more_leaves_than_is_delivered() {
    // CRB: 15 of 20 segments are lost at once.
    let mut prr = Prr::new(20 * SMSS);
    let mut in_flight = 4 * SMSS;
    for _ in 0..3 {
        let cwnd = prr.on_ack(&ack(in_flight, 10 * SMSS));
        assert_eq!(send(&mut prr, cwnd, &mut in_flight), 1);
        in_flight -= SMSS;
    }
}

#[test]
fn progress_without_another_loss_lets_one_more_out() {
    // SSRB: slow start toward ssthresh.
    let mut prr = Prr::new(20 * SMSS);
    prr.on_sent(SMSS);
    let safe = PrrAck { is_safe: true, ..ack(4 * SMSS, 10 * SMSS) };
    assert_eq!(prr.on_ack(&safe), 6 * SMSS);
}

#[test]
fn the_window_never_passes_ssthresh_on_its_way_up() {
    let mut prr = Prr::new(20 * SMSS);
    let many = PrrAck { delivered: 15 * SMSS, is_safe: true, ..ack(4 * SMSS, 10 * SMSS) };
    assert_eq!(prr.on_ack(&many), 10 * SMSS);
}
