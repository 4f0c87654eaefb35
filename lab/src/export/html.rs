//! The page with its data in it: one file that opens from disk without a network.
//!
//! The data lie in a block of JSON in which nothing can end the block, whatever a run says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::book::Book;
use crate::lesson::Lesson;
use crate::run::{Difference, Run};

/// The page as it was built.
pub const PAGE: &str = include_str!("../../page/dist/index.html");

/// What the page looks for (`page/src/data`).
const OPENING: &str = "<script type=\"application/json\" id=\"tcpstack-data\">";
const CLOSING: &str = "</script>";

/// What an exported page shows.
#[derive(Clone, Debug, Serialize)]
pub struct Data<'a> {
    /// What there is to look up.
    pub book: &'a Book,
    /// The lessons whose runs are here, or those alone that they belong to.
    pub lessons: &'a [Lesson],
    /// The runs.
    pub runs: &'a [Run],
    /// For each run that has a reader's rules where it parts from the run without; empty where none has.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub differences: &'a [Option<Difference>],
    /// Which is shown first, an index of `runs`.
    pub selected: usize,
    /// Where the lessons are whose runs are elsewhere: by their numbers the addresses of their pages, as this page
    /// sees them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<u32, String>,
    /// The language that was asked for (`en`, `zh`); none: the reader's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'a str>,
    /// The theme that was asked for (`light`, `dark`); none: the reader's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<&'a str>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// The page this was built with has no place for data.
    #[error(
        "the page has no </body> to put the data before: build it anew (npm run build in lab/page)"
    )]
    Page,
    /// The data cannot be written as JSON.
    #[error("the run as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// `page` with `data` in it.
///
/// # Errors
/// [`HtmlError`].
pub fn html(page: &str, data: &Data) -> Result<String, HtmlError> {
    // In JSON `<` stands in strings alone, where it can be written so: no `</script` and no `<!--` is left.
    let json = serde_json::to_string(data)?.replace('<', "\\u003c");
    let (before, after) = match page.split_once(OPENING) {
        Some((before, rest)) => (before, rest.split_once(CLOSING).ok_or(HtmlError::Page)?.1),
        // The page's program is a module: it runs when all of the file has been read.
        None => page.split_at(page.rfind("</body>").ok_or(HtmlError::Page)?),
    };
    Ok([before, OPENING, &json, CLOSING, after].concat())
}

#[cfg(test)]
mod tests;
