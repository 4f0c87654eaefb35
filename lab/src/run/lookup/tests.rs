use super::*;
use crate::export::tests::{lossy_run, sent};

#[test]
fn every_flight_is_found_from_both_its_ends() {
    let run = lossy_run();
    let lookup = Lookup::new(&run);
    for (at, flight) in run.flights.iter().enumerate() {
        for end in [flight.sent, flight.received].into_iter().flatten() {
            assert_eq!(lookup.flight(end), Some(at));
        }
        let sender = flight.sent.and_then(|sent| lookup.host(sent));
        assert_eq!(sender, Some(flight.from));
    }
}

#[test]
fn the_chain_of_causes_leads_from_host_to_host_back_to_a_call() {
    let run = lossy_run();
    let lookup = Lookup::new(&run);
    let repair = sent(&run, |record| record.retransmission).unwrap();
    let chain = lookup.causes(&run, repair);
    let hosts: Vec<_> = chain.iter().map(|at| lookup.host(*at).unwrap()).collect();
    assert!(hosts.contains(&0) && hosts.contains(&1), "{hosts:?}");
    assert!(chain.is_sorted_by(|a, b| a > b), "{chain:?}");
    assert!(lookup.call(*chain.last().unwrap()).is_some(), "{chain:?}");
}

#[test]
fn positions_that_lead_nowhere_are_as_if_they_were_not_there() {
    let mut run = lossy_run();
    run.flights[0].sent = Some(usize::MAX);
    run.flights[1].from = 9;
    run.calls[0].entered = usize::MAX;
    run.events[3].cause = Some(u64::MAX);
    let lookup = Lookup::new(&run);
    assert_eq!(lookup.flight(usize::MAX), None);
    assert_eq!(run.flights[1].sent.and_then(|sent| lookup.flight(sent)), None);
    assert_eq!(lookup.call(usize::MAX), None);
    assert_eq!(lookup.cause(&run, 3), None);
    assert!(lookup.causes(&run, usize::MAX).is_empty());
}
