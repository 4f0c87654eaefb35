//! From `tcps_stack *` to the stack and back.
//!
//! A handle is a number dressed as a pointer and is never followed, so that a closed or invented
//! one is EBADF instead of a crash. Numbers are never given out twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use tcpstack::net::Stack;

use crate::errno::Failure;
use crate::manual::Waiter;
use crate::panic::Call;
use crate::stack::tcps_stack;

/// Far below any address that malloc gives, so that the two are told apart in a debugger.
const FIRST: usize = 0x100;
const STEP: usize = 0x10;

/// An open stack, and what `tcps_poll` has to know where the clock is manual.
struct Entry {
    stack: Stack,
    wait: Option<Waiter>,
    now_us: u64,
}

/// Every open stack of the process.
struct Table {
    next: usize,
    stacks: BTreeMap<usize, Entry>,
    /// The handle that `tcps_stack_default` gave out.
    default: Option<usize>,
}

static TABLE: Mutex<Table> =
    Mutex::new(Table { next: FIRST, stacks: BTreeMap::new(), default: None });

/// The table is changed by single statements, so it is whole even after a panic elsewhere.
fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn insert(&mut self, stack: Stack) -> usize {
        let handle = self.next;
        self.next += STEP;
        self.stacks.insert(handle, Entry { stack, wait: None, now_us: 0 });
        handle
    }
}

/// A new handle for `stack`.
pub(crate) fn insert(stack: Stack) -> *mut tcps_stack {
    std::ptr::without_provenance_mut(table().insert(stack))
}

/// The stack behind `handle`, noted in `call`.
pub(crate) fn get(call: &mut Call, handle: *mut tcps_stack) -> Result<Stack, Failure> {
    if handle.is_null() {
        return Err(Failure::null("the stack is NULL"));
    }
    let stack =
        table().stacks.get(&handle.addr()).map(|entry| entry.stack.clone()).ok_or(CLOSED)?;
    *call = Call::Stack(stack.clone());
    Ok(stack)
}

/// Takes `handle` out of the table: it is dead from here on.
pub(crate) fn remove(handle: *mut tcps_stack) -> Result<Stack, Failure> {
    if handle.is_null() {
        return Err(Failure::null("the stack is NULL"));
    }
    let mut table = table();
    let Entry { stack, .. } = table.stacks.remove(&handle.addr()).ok_or(CLOSED)?;
    if table.default == Some(handle.addr()) {
        table.default = None;
        Stack::set_default(None);
    }
    Ok(stack)
}

/// The handle of the default stack, opened now if need be; the same one until it is closed.
pub(crate) fn default() -> Result<*mut tcps_stack, Failure> {
    let stack = Stack::default_stack()?;
    let mut table = table();
    let handle = match table.default {
        // A panic closed the old one: its handle stays with whoever holds it, and answers EBADF.
        Some(handle) if table.stacks.get(&handle).is_some_and(|entry| entry.stack.is_open()) => {
            handle
        }
        _ => table.insert(stack),
    };
    table.default = Some(handle);
    Ok(std::ptr::without_provenance_mut(handle))
}

/// Notes how calls on `handle` wait.
pub(crate) fn set_wait(handle: *mut tcps_stack, wait: Option<Waiter>) {
    if let Some(entry) = table().stacks.get_mut(&handle.addr()) {
        entry.wait = wait;
    }
}

/// Notes the time on the manual clock of `handle`.
pub(crate) fn set_now(handle: *mut tcps_stack, now_us: u64) {
    if let Some(entry) = table().stacks.get_mut(&handle.addr()) {
        entry.now_us = now_us;
    }
}

/// The time on the manual clock of `stack`, and how a call waits there.
pub(crate) fn manual_clock(stack: &Stack) -> Result<(u64, Option<Waiter>), Failure> {
    let table = table();
    let entry = table.stacks.values().find(|entry| entry.stack == *stack).ok_or(CLOSED)?;
    Ok((entry.now_us, entry.wait))
}

const CLOSED: Failure =
    Failure::Argument(Errno::EBADF, "not an open stack: closed before, or never opened");
