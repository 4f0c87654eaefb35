//! Control messages (cmsg): what sendmsg is told beside the bytes, and what recvmsg tells.
//!
//! TCP tells one thing, how many bytes are left to read (TCP_INQ), and is told nothing.

use std::ffi::c_int;
use std::mem::size_of;

use libc::{cmsghdr, msghdr};

use crate::errno::Failure;
use crate::pointer;

/// netinet/tcp.h's TCP_CM_INQ.
const TCP_CM_INQ: c_int = libc::TCP_INQ;

/// Control messages begin at multiples of this.
const ALIGNMENT: usize = size_of::<usize>();

/// Writes TCP_CM_INQ with `left` into the message's control data, of which there are `room` bytes: as
/// much as fits, with MSG_CTRUNC when that is not all.
///
/// # Safety
/// `msg_control` is NULL or points to `room` writable bytes.
pub(crate) unsafe fn write_inq(
    message: &mut msghdr,
    room: usize,
    left: c_int,
) -> Result<(), Failure> {
    let whole = size_of::<cmsghdr>() + size_of::<c_int>();
    if message.msg_control.is_null() || room < size_of::<cmsghdr>() {
        message.msg_flags |= libc::MSG_CTRUNC;
        return Ok(());
    }
    let written = whole.min(room);
    if written < whole {
        message.msg_flags |= libc::MSG_CTRUNC;
    }
    let mut bytes = Vec::with_capacity(whole);
    bytes.extend(written.to_ne_bytes());
    bytes.extend(libc::IPPROTO_TCP.to_ne_bytes());
    bytes.extend(TCP_CM_INQ.to_ne_bytes());
    bytes.extend(left.to_ne_bytes());
    // SAFETY: the condition of this function; `written` is at most `room`.
    let place = unsafe { pointer::bytes_mut(message.msg_control, written) }?;
    place.copy_from_slice(&bytes[..written]);
    message.msg_controllen = whole.next_multiple_of(ALIGNMENT).min(room);
    Ok(())
}

/// Looks through the control data of a message to send. As on Linux, SCM_RIGHTS, SCM_CREDENTIALS and
/// other levels' messages are passed over.
///
/// # Errors
/// EINVAL for one that does not fit its length, or one of SOL_SOCKET that the stack does not have.
///
/// # Safety
/// `msg_control` is NULL or points to `msg_controllen` readable bytes.
pub(crate) unsafe fn check(message: &msghdr) -> Result<(), Failure> {
    const HEADER: usize = size_of::<cmsghdr>();
    // SAFETY: the condition of this function.
    let mut data = unsafe { pointer::bytes(message.msg_control, message.msg_controllen) }?;
    while let Some((header, _)) = data.split_at_checked(HEADER) {
        let field = |at: usize| header.get(at..).and_then(|bytes| bytes.first_chunk());
        let len = header.first_chunk().map_or(0, |bytes| usize::from_ne_bytes(*bytes));
        let level = field(size_of::<usize>()).map_or(0, |bytes| c_int::from_ne_bytes(*bytes));
        let kind = field(size_of::<usize>() + 4).map_or(0, |bytes| c_int::from_ne_bytes(*bytes));
        if !(HEADER..=data.len()).contains(&len) {
            return Err(Failure::invalid("a control message is longer than its data"));
        }
        let is_passed_over = matches!(kind, libc::SCM_RIGHTS | libc::SCM_CREDENTIALS);
        if level == libc::SOL_SOCKET && !is_passed_over {
            return Err(Failure::invalid("the stack has no such control message"));
        }
        data = data.get(len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
