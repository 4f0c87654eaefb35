//! The assertions between `%{` and `}%`: states, counters and TCP_INFO.

use super::calls::Sockets;
use super::flow::peer;
use super::machine::{Machine, SystemCall, Value};
use super::script::{Comparison, Condition, Family, Subject};
use super::tcp_info;

/// Whether a condition holds.
///
/// # Errors
/// What the value is instead.
pub(crate) fn judge(
    condition: &Condition,
    machine: &mut dyn Machine,
    sockets: &Sockets,
    family: Family,
) -> Result<(), String> {
    match &condition.subject {
        Subject::State(fd) => match machine.call(SystemCall::State { fd: *fd }, false) {
            Some(Ok(Value::State(state))) => words(condition, state.name()),
            other => Err(format!("the state of {fd} is {other:?}")),
        },
        Subject::FlowState(flow) => {
            let peer = peer(family, *flow);
            let states = machine.states();
            let state = states.iter().find(|(remote, _)| *remote == Some(peer));
            words(condition, state.map_or("CLOSED", |(_, state)| state.name()))
        }
        Subject::Counter(name) => {
            let value = machine.counter(name).ok_or_else(|| format!("no counter `{name}`"))?;
            numbers(condition, value)
        }
        Subject::Info { field, fd, bits } => {
            let fd = fd.or(sockets.newest).ok_or("no connection to look into")?;
            let value = tcp_info::field(&machine.info(fd)?, field)?;
            let mask = bits.as_ref().map_or(Ok(u64::MAX), |name| {
                tcp_info::constant(name).ok_or_else(|| format!("`{name}` is not known"))
            });
            let off = tcp_info::allowance(field, value, machine.tolerance());
            numbers(condition, nearest(condition, value & mask?, off))
        }
    }
}

/// The number that a condition names, where `came` is as close to it as time is exact.
fn nearest(condition: &Condition, came: u64, off: u64) -> u64 {
    match condition.value.parse::<u64>() {
        Ok(value) if value.abs_diff(came) <= off => value,
        _ => came,
    }
}

/// States, by the RFC's names; `_` and `-` are the same.
fn words(condition: &Condition, came: &str) -> Result<(), String> {
    let is_equal = condition.value.replace('_', "-").eq_ignore_ascii_case(came);
    let holds = match condition.comparison {
        Comparison::Equal => is_equal,
        Comparison::Unequal => !is_equal,
        _ => return Err("states are equal or not".into()),
    };
    if holds { Ok(()) } else { Err(format!("it is {came}")) }
}

fn numbers(condition: &Condition, came: u64) -> Result<(), String> {
    let value = match tcp_info::constant(&condition.value) {
        Some(value) => value,
        None => condition.value.parse().map_err(|_| format!("`{}`: no number", condition.value))?,
    };
    if condition.comparison.holds(&came, &value) { Ok(()) } else { Err(format!("it is {came}")) }
}
