//! The committed header is the one that the sources make.

#[path = "../examples/header.rs"]
#[allow(dead_code, unreachable_pub)]
mod header;

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = std::fs::read_to_string(header::path()).expect("include/tcpstack.h");
    let generated = header::generate().expect("cbindgen");
    assert!(
        committed == generated,
        "include/tcpstack.h is not what the sources make: run `scripts/header` and commit it"
    );
}
