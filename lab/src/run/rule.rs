//! A rule as one writes it on a command line or into a link: `client:3:drop`.

use std::str::FromStr;

use super::{Action, Rule, Text};

/// The longest delay, in milliseconds: a day.
const DELAY_MAX_MS: u64 = 24 * 3600 * 1000;

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}`: expected HOST:NUMBER:ACTION, as `client:3:drop`, `client:3:duplicate`, `client:3:reorder`, \
     `client:3:delay:300` (in milliseconds) or `client:3:corrupt:160` (which bit)"
)]
pub struct RuleError(String);

impl RuleError {
    /// The same for a reader, in each language.
    pub fn text(&self) -> Text {
        let zh = format!(
            "`{}`：应写作 主机:序号:动作，例如 `client:3:drop`、`client:3:duplicate`、`client:3:reorder`、\
             `client:3:delay:300`（毫秒）或 `client:3:corrupt:160`（第几个比特）",
            self.0
        );
        Text { en: self.to_string(), zh }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let refuse = || RuleError(text.to_owned());
        let mut parts = text.split(':');
        let (from, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(refuse)?;
        let words = (parts.next(), parts.next().map(str::parse::<u64>));
        let action = match words {
            (Some("drop"), None) => Action::Drop,
            (Some("duplicate"), None) => Action::Duplicate,
            (Some("reorder"), None) => Action::Reorder,
            (Some("delay"), Some(Ok(delay_ms @ 0..=DELAY_MAX_MS))) => Action::Delay { delay_ms },
            (Some("corrupt"), Some(Ok(bit))) => Action::Corrupt { bit },
            _ => return Err(refuse()),
        };
        if from.is_empty() || parts.next().is_some() {
            return Err(refuse());
        }
        Ok(Rule { from: from.to_owned(), number, action, of_scenario: false })
    }
}

#[cfg(test)]
mod tests;
