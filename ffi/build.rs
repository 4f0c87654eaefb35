//! Gives the shared library its name in programs that link it. Bumped with the first digit that
//! an incompatible change of `include/tcpstack.h` changes.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtcpstack.so.0");
}
