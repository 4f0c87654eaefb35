//! The language that a command speaks: the one asked for, or the environment's.

use tcpstack::event::Language;

use crate::args::Lang;

/// The language asked for, or the environment's (POSIX: the first of these that is set).
pub(crate) fn of(asked: Option<Lang>) -> Language {
    if let Some(lang) = asked {
        return lang.into();
    }
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    if set.is_some_and(|value| value.starts_with("zh")) {
        Language::Chinese
    } else {
        Language::English
    }
}
