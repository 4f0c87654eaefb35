//! The C suite: each program in `tests/c` is built against the library as a C programmer would
//! build it, and run; then again under valgrind, where a leak or a wrong access fails it.

mod toolchain;

use std::time::Duration;

use toolchain::{Linkage, Program};

/// One test per program, plain and under valgrind.
macro_rules! programs {
    ($($name:ident: $source:literal;)*) => {
        mod plain {
            use super::*;
            $(#[test] fn $name() {
                Program::build($source, Linkage::Shared).run(Duration::from_secs(60));
            })*
        }
        mod under_valgrind {
            use super::*;
            $(#[test] fn $name() {
                Program::build($source, Linkage::Shared).run_checked(Duration::from_secs(300));
            })*
        }
    };
}

programs! {
    the_header_compiles_as_c: "header.c";
    the_header_compiles_as_cxx: "header.cpp";
    errors_are_those_of_linux: "errors.c";
    two_processes_echo_through_every_call: "echo.c";
    options_are_those_of_linux: "options.c";
    messages_flags_and_counts_are_those_of_linux: "messages.c";
    nothing_waits_and_readiness_is_right: "nonblocking.c";
    connections_close_in_every_order: "close_order.c";
    a_textbook_source_runs_unchanged: "bsd.c";
    events_name_the_line_that_calls: "lines.c";
    a_life_passes_in_virtual_time: "manual.c";
    a_bridged_descriptor_is_read_and_written: "bridged.c";
}

#[test]
fn the_static_library_needs_what_its_pkgconfig_file_says() {
    Program::build("echo.c", Linkage::Static).run(Duration::from_secs(60));
}

#[test]
fn the_libraries_of_the_pkgconfig_file_are_those_that_rustc_names() {
    let script = std::fs::read_to_string(toolchain::root().join("scripts/install-c")).unwrap();
    let ours = script.lines().find_map(|line| line.strip_prefix("libs_private=")).unwrap();
    assert_eq!(ours.trim_matches('"'), toolchain::native_static_libs());
}

#[test]
fn only_the_documented_names_are_exported() {
    let header = std::fs::read_to_string(toolchain::root().join("include/tcpstack.h")).unwrap();
    for name in toolchain::exported_names() {
        assert!(name.starts_with("tcps_"), "{name} is exported");
        assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
    }
}

#[test]
fn the_examples_compile_without_a_warning() {
    for name in ["server.c", "client.c", "http_file.c"] {
        Program::build_from(&toolchain::root().join("examples/c").join(name), Linkage::Shared);
    }
}
