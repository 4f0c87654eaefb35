//! A run as a file: the page with its data in it, the sequence diagram as a picture or as Mermaid's text,
//! the run itself, a capture for each vantage point.
//!
//! Each format is a pure function from a run to text or bytes; whoever calls it writes the file. Nothing is shown
//! that the run does not say, and what a format cannot carry is said in the file or is an error.

pub mod course;
pub mod html;
pub mod mermaid;
pub mod pcapng;
#[cfg(feature = "png")]
pub mod png;
mod sequence;
pub mod svg;
mod words;

use std::path::Path;

use clap::ValueEnum;

use crate::run::Run;

/// What a run can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The page with the run in it: one file, no network.
    Html,
    /// The sequence diagram.
    Svg,
    /// The same as pixels.
    Png,
    /// The sequence diagram as text that GitHub and many editors draw.
    Mermaid,
    /// The run.
    Json,
    /// What was on the wire, for Wireshark: seen from one host.
    Pcapng,
}

impl Format {
    /// The format that a file's ending names: `.html`, `.svg`, `.png`, `.mmd` or `.mermaid`, `.json`, `.pcapng`.
    pub fn of(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "html" | "htm" => Format::Html,
            "svg" => Format::Svg,
            "png" => Format::Png,
            "mmd" | "mermaid" => Format::Mermaid,
            "json" => Format::Json,
            "pcapng" => Format::Pcapng,
            _ => return None,
        })
    }
}

/// On what ground a picture stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// Dark on white.
    #[default]
    Light,
    /// Light on black.
    Dark,
}

/// The run as JSON, as [`Run`] describes it, with a newline at its end.
///
/// # Errors
/// None that a run of this program gives; what serde says otherwise.
pub fn json(run: &Run) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(run)? + "\n")
}

#[cfg(test)]
pub(crate) mod tests;
