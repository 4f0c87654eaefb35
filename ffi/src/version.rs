//! Which version a program runs with. The one it was compiled against is TCPSTACK_VERSION, which
//! the header's generator takes from the same place: the workspace's version.

use std::ffi::{CStr, c_char};

/// The library's version, NUL-terminated.
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("the package's version holds a NUL"),
    };

/// The version of the library that runs. TCPSTACK_VERSION is that of the header a program was
/// compiled with; the two may differ where a shared library was replaced since.
///
/// Returns "major.minor.patch", a string that lives as long as the program. Cannot fail.
/// Threads: any. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn tcps_version() -> *const c_char {
    VERSION.as_ptr()
}
