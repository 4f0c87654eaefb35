//! Attacks in virtual time. Each test is named after what it defends, and asserts two things: that the
//! defence holds, and that a hostile packet costs no more than it should (`work`).

mod acknowledgments;
mod floods;
mod reassembly;
mod spoofing;
mod time_wait;
mod timestamps;
mod urgent;
mod victim;
mod windows;
mod work;
