//! A row of a table of terms: what is written down once, in both languages, side by side.

use std::collections::BTreeMap;

use super::Term;
use crate::run::Text;

/// A term and the name that events have for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// As events say it.
    pub id: &'static str,
    /// Where it is defined; empty: nowhere but here.
    pub clause: &'static str,
    /// On a picture: English, 中文.
    pub name: (&'static str, &'static str),
    /// A sentence or two: English, 中文.
    pub text: (&'static str, &'static str),
}

impl Entry {
    /// The term alone.
    pub(super) fn term(&self) -> Term {
        let clause = Some(self.clause.to_owned()).filter(|clause| !clause.is_empty());
        Term { name: text(self.name), text: text(self.text), clause }
    }
}

/// The terms of a table by their ids.
pub(super) fn terms(entries: &[Entry]) -> BTreeMap<String, Term> {
    entries.iter().map(|entry| (entry.id.to_owned(), entry.term())).collect()
}

/// A text of its two languages.
pub(super) fn text((en, zh): (&str, &str)) -> Text {
    Text { en: en.to_owned(), zh: zh.to_owned() }
}

/// Declares a table: id, clause, name and text, each in English and 中文.
macro_rules! entries {
    ($($id:literal $clause:literal $name_en:literal $name_zh:literal $text_en:literal $text_zh:literal;)*) => {
        /// The table.
        pub(super) const ENTRIES: &[$crate::book::entry::Entry] = &[$(
            $crate::book::entry::Entry {
                id: $id,
                clause: $clause,
                name: ($name_en, $name_zh),
                text: ($text_en, $text_zh),
            },
        )*];
    };
}

pub(super) use entries;
