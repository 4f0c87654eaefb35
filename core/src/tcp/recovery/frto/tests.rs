use super::{Frto, FrtoAck, FrtoVerdict};

/// An ACK that moves SND.UNA, with more data at hand.
const ADVANCE: FrtoAck = FrtoAck {
    is_advance: true,
    is_original: false,
    is_duplicate: false,
    is_recovered: false,
    has_sent_new: false,
    can_send_new: true,
};

#[test]
fn a_delayed_flight_is_told_by_the_acks_of_what_was_sent_once() {
    // RFC 5682 §3.1: steps 1, 2b, 3b.
    let mut frto = Frto::FirstSent;
    assert_eq!(frto.on_ack(&ADVANCE), FrtoVerdict::SendNew);
    let original = FrtoAck { is_original: true, has_sent_new: true, ..ADVANCE };
    assert_eq!(frto.on_ack(&original), FrtoVerdict::Spurious);
    assert_eq!(frto, Frto::Off);
}

#[test]
fn a_real_loss_is_told_by_duplicates_of_the_new_data() {
    // RFC 5682 §2.1.
    // Step 3a.
    let mut frto = Frto::FirstSent;
    assert_eq!(frto.on_ack(&ADVANCE), FrtoVerdict::SendNew);
    let duplicate =
        FrtoAck { is_advance: false, is_duplicate: true, has_sent_new: true, ..ADVANCE };
    assert_eq!(frto.on_ack(&duplicate), FrtoVerdict::Repair);
    assert_eq!(frto, Frto::Off);
}

#[test]
fn without_new_data_or_window_the_repair_goes_on() {
    // Step 2b, last sentence.
    let mut frto = Frto::FirstSent;
    let full = FrtoAck { can_send_new: false, ..ADVANCE };
    assert_eq!(frto.on_ack(&full), FrtoVerdict::Repair);
    assert_eq!(frto, Frto::Off);
}

#[test]
fn a_first_ack_for_all_of_it_proves_nothing() {
    // Step 2a: the one segment sent again may have filled the one hole.
    let mut frto = Frto::FirstSent;
    let all = FrtoAck { is_recovered: true, ..ADVANCE };
    assert_eq!(frto.on_ack(&all), FrtoVerdict::Repair);
    assert_eq!(frto, Frto::Off);
}

#[test]
fn an_ack_of_the_repetition_alone_leaves_the_question_open() {
    let mut frto = Frto::FirstSent;
    assert_eq!(frto.on_ack(&ADVANCE), FrtoVerdict::SendNew);
    let nothing_new = FrtoAck { has_sent_new: true, ..ADVANCE };
    assert_eq!(frto.on_ack(&nothing_new), FrtoVerdict::Repair, "lost data may leave again");
    assert_eq!(frto, Frto::FirstSent);
}
