//! The two tables of states, numbers and names, agree.

use super::*;

#[test]
fn every_state_has_the_name_that_the_protocol_gives_it() {
    let all = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
    ];
    for state in all {
        let name = tcps_state_name(number(state));
        // SAFETY: a static C string, not NULL for a known state.
        let name = unsafe { std::ffi::CStr::from_ptr(name) };
        assert_eq!(name.to_str(), Ok(state.name()));
    }
}

#[test]
fn an_unknown_number_is_invalid() {
    assert!(tcps_state_name(0).is_null());
    assert_eq!(Errno::last(), Errno::EINVAL);
    assert!(tcps_state_name(12).is_null());
}
