use super::*;
use crate::export::tests::{broken_run, hostile_run, long_run, lossy_run};

#[test]
fn the_text_has_segments_losses_calls_and_states_in_order() {
    let text = mermaid(&lossy_run(), Language::English);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing:\n{text}"));
    assert!(text.starts_with("sequenceDiagram\n"));
    let order = [
        "participant h0 as client",
        "Note over h0: SYN-SENT",
        "h0->>h1: SYN seq=0 (J)",
        "h1->>h0: SYN+ACK seq=0 (K) ack=1 (J+1)",
        "h0--xh1: ACK seq=1 ack=1 len=1448",
        "h0->>h1: ↻ ACK seq=1 ack=1 len=1448",
        "Note over h0: TIME-WAIT",
    ];
    assert!(order.map(at).is_sorted(), "{text}");
}

#[test]
fn nothing_that_a_run_says_ends_a_line_or_begins_another() {
    let text = mermaid(&hostile_run(), Language::Chinese);
    let begins = ["accTitle", "accDescr", "participant", "Note ", "h0-", "h1-"];
    for line in text.lines().skip(1) {
        let line = line.trim_start();
        assert!(begins.iter().any(|begin| line.starts_with(begin)), "{line}");
        assert!(!line.contains('<') && !line.contains("%%"), "{line}");
    }
    assert!(mermaid(&broken_run(), Language::English).lines().count() > 10);
}

#[test]
fn a_long_run_ends_with_a_word_about_the_rest() {
    let text = mermaid(&long_run(2 * MOST_LINES), Language::English);
    assert!(text.lines().count() < MOST_LINES + 10);
    assert!(text.trim_end().ends_with("more events"), "{}", text.lines().last().unwrap());
}
