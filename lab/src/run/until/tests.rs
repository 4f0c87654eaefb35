use super::*;
use crate::export::tests::{lossy_run, sent};

#[test]
fn what_has_not_happened_yet_is_not_in_it() {
    let run = lossy_run();
    let syn = sent(&run, |record| record.flags == "SYN").unwrap();
    let early = until(&run, syn);
    assert_eq!(early.events.len(), syn + 1);
    let [flight] = &early.flights[..] else { panic!("{:?}", early.flights) };
    assert_eq!((flight.fate, flight.received, flight.received_ns), (Fate::Underway, None, None));
    assert_eq!(until(&run, syn + 1).flights[0], run.flights[0]);
}

#[test]
fn a_lost_segment_is_lost_from_the_start() {
    let run = lossy_run();
    let lost = run.flights.iter().find(|flight| flight.fate == Fate::Lost).unwrap();
    let early = until(&run, lost.sent.unwrap());
    assert!(early.flights.contains(lost));
}

#[test]
fn a_call_has_returned_from_its_return_on() {
    let run = lossy_run();
    let call = run.calls.iter().position(|call| call.name == "recv").unwrap();
    let (entered, returned) = (run.calls[call].entered, run.calls[call].returned.unwrap());
    assert!(until(&run, entered - 1).calls.len() == call);
    assert_eq!(until(&run, entered).calls[call].result, None);
    assert_eq!(until(&run, returned).calls[call], run.calls[call]);
}

#[test]
fn at_the_end_it_is_the_whole_run() {
    let mut run = lossy_run();
    run.questions.clear();
    assert_eq!(until(&run, usize::MAX), run);
    assert_eq!(until(&run, run.events.len() - 1), run);
}
