//! Rules are read as they are written, and refused with a word on what would be right.

use super::*;

#[test]
fn every_action_can_be_written() {
    let action = |text: &str| text.parse::<Rule>().map(|rule| rule.action);
    assert_eq!(action("client:3:drop"), Ok(Action::Drop));
    assert_eq!(action("client:3:duplicate"), Ok(Action::Duplicate));
    assert_eq!(action("client:3:reorder"), Ok(Action::Reorder));
    assert_eq!(action("client:3:delay:300"), Ok(Action::Delay { delay_ms: 300 }));
    assert_eq!(action("client:3:corrupt:160"), Ok(Action::Corrupt { bit: 160 }));
}

#[test]
fn what_is_no_rule_is_refused() {
    let wrong = [
        "",
        "client",
        "client:drop",
        "client:0:drop",
        ":1:drop",
        "client:1:lose",
        "client:1:drop:1",
        "client:1:delay",
        "client:1:delay:-1",
        "client:1:delay:86400001",
        "client:1:corrupt:1:2",
    ];
    for text in wrong {
        let refusal = text.parse::<Rule>().unwrap_err().to_string();
        assert!(refusal.starts_with(&format!("`{text}`: expected HOST:NUMBER:ACTION")));
    }
}
