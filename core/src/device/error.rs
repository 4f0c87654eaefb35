//! The error of a device: the kernel's errno, with what was being done and what would help.

use std::io;

use nix::errno::Errno;

/// What a device could not do. It travels inside an [`io::Error`]; [`errno`] finds the number again.
#[derive(Debug, thiserror::Error)]
#[error("{context}: {}", .errno.desc())]
pub struct DeviceError {
    context: String,
    errno: Errno,
}

/// The errno behind `error`: a [`DeviceError`]'s, the system's own, or EIO when there is none.
pub fn errno(error: &io::Error) -> i32 {
    let ours = error.get_ref().and_then(|inner| inner.downcast_ref::<DeviceError>());
    ours.map(|e| e.errno as i32).or(error.raw_os_error()).unwrap_or(libc::EIO)
}

/// `error` again, saying what was being done.
pub(super) fn context(error: impl Into<io::Error>, context: impl Into<String>) -> io::Error {
    let error = error.into();
    let inner = DeviceError { context: context.into(), errno: Errno::from_raw(errno(&error)) };
    io::Error::new(error.kind(), inner)
}
