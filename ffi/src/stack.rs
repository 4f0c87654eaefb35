//! Stacks: open, default, close, knobs.

use std::ffi::{c_char, c_int};

use nix::errno::Errno;
use tcpstack::host::KnobError;
use tcpstack::net::Stack;

use crate::errno::Failure;
use crate::panic::boundary;
use crate::{handle, pointer};

/// A stack: one host with its addresses, its connections and its device.
///
/// Only ever used through a pointer, which is a handle: using one after tcps_stack_close() fails with
/// EBADF and harms nothing.
#[allow(non_camel_case_types)]
pub struct tcps_stack {
    _opaque: (),
}

impl From<KnobError> for Failure {
    fn from(error: KnobError) -> Failure {
        let errno = match &error {
            KnobError::Unknown(_) => Errno::ENOENT,
            KnobError::Invalid { .. } => Errno::EINVAL,
        };
        Failure::Text(errno as i32, error.to_string())
    }
}

/// Opens a stack on the network that a URL names (see "The URL" above).
///
/// url     "DEVICE?key=value&key=value"
///
/// Returns the stack, to be closed with tcps_stack_close(); or NULL, with errno
///   EFAULT          url is NULL
///   EINVAL          url is not understood: tcps_last_error() names the key and what is valid
///   EADDRINUSE      another host has this address on this network (unix:), or another program
///                   has the interface open (tun:, EBUSY on some kernels)
///   EPERM, EACCES   the interface or the directory is not this user's to open
///   ENOENT, ENODEV  no such directory, interface or file
///   others          as the kernel gave them for the device or for the files of pcap= and events=
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_open(url: *const c_char) -> *mut tcps_stack {
    boundary("tcps_stack_open", |_| {
        // SAFETY: the caller gives a C string or NULL.
        let url = unsafe { pointer::text(url, "the URL is NULL") }?;
        Ok(handle::insert(Stack::open(&url)?))
    })
}

/// The default stack, opened at the first use from the URL in the environment variable $TCPSTACK
/// ("unix:" where that is not set).
///
/// Returns the stack, always the same one until it is closed; or NULL, with the errno of
/// tcps_stack_open().
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_stack_default() -> *mut tcps_stack {
    boundary("tcps_stack_default", |_| handle::default())
}

/// Closes a stack and gives back its memory, its device and its thread.
///
/// Data and FINs that are not yet acknowledged get a moment to be so (the knob tcp_close_flush_ms);
/// then every connection is dropped, TIME_WAIT too. Descriptors that are still open stay open until
/// tcps_close() or close(), and every other call on them fails with EBADF.
///
/// stack   the stack; the pointer is dead afterwards
///
/// Returns 0; or -1, with errno
///   EFAULT          stack is NULL
///   EBADF           stack is not an open one
/// Threads: any; calls that wait in other threads return with EBADF. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_stack_close(stack: *mut tcps_stack) -> c_int {
    boundary("tcps_stack_close", |_| {
        handle::remove(stack)?.close();
        Ok(0)
    })
}

/// Sets a knob of a stack, as `sysctl -w net.ipv4.NAME=VALUE` does for the kernel.
///
/// stack   the stack
/// name    the knob: tcp_rmem, tcp_sigpipe, ...
/// value   its value as text
///
/// Returns 0; or -1, with errno
///   EFAULT          a pointer is NULL
///   EBADF           stack is not an open one
///   ENOENT          there is no such knob
///   EINVAL          the value can't be: tcps_last_error() says what can
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_sysctl_set(
    stack: *mut tcps_stack,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    boundary("tcps_stack_sysctl_set", |call| {
        let stack = handle::get(call, stack)?;
        // SAFETY: the caller gives C strings or NULL.
        let (name, value) = unsafe {
            (
                pointer::text(name, "the knob's name is NULL")?,
                pointer::text(value, "the knob's value is NULL")?,
            )
        };
        stack.sysctl_set(&name, &value)?;
        Ok(0)
    })
}

/// Reads a knob of a stack.
///
/// stack   the stack
/// name    the knob
/// value   where the text and its NUL go
/// cap     bytes at value
///
/// Returns the text's length without the NUL; or -1, with errno
///   EFAULT          a pointer is NULL
///   EBADF           stack is not an open one
///   ENOENT          there is no such knob
///   ERANGE          cap is too small; nothing was written
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tcps_stack_sysctl_get(
    stack: *mut tcps_stack,
    name: *const c_char,
    value: *mut c_char,
    cap: usize,
) -> c_int {
    boundary("tcps_stack_sysctl_get", |call| {
        let stack = handle::get(call, stack)?;
        // SAFETY: the caller gives a C string or NULL.
        let name = unsafe { pointer::text(name, "the knob's name is NULL") }?;
        if value.is_null() {
            return Err(Failure::null("the place for the value is NULL"));
        }
        let text = stack.sysctl_get(&name).ok_or_else(|| KnobError::Unknown(name.into_owned()))?;
        if text.len() >= cap {
            return Err(Failure::Argument(Errno::ERANGE, "the value does not fit into cap bytes"));
        }
        // SAFETY: the caller gives cap writable bytes at value, checked not NULL.
        let out = unsafe { pointer::bytes_mut(value.cast(), cap) }?;
        out[..text.len()].copy_from_slice(text.as_bytes());
        out[text.len()] = 0;
        Ok(c_int::try_from(text.len()).unwrap_or(c_int::MAX))
    })
}
