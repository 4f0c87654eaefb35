//! Has the crate built anew when a lesson is added: the compiler knows only those that it has read.

fn main() {
    println!("cargo:rerun-if-changed=lessons");
}
