//! The page: one file without anything from elsewhere, and the policy that holds it to that.

use axum::http::HeaderValue;
use axum::response::Html;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::export::html::PAGE;

pub(super) async fn page() -> Html<&'static str> {
    Html(PAGE)
}

/// The Content-Security-Policy: the page's own scripts, known by their hashes, and its own styles; data
/// from this server alone.
pub(super) fn policy() -> HeaderValue {
    let hashes: Vec<String> = scripts(PAGE)
        .map(|script| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))))
        .collect();
    let scripts = if hashes.is_empty() { "'none'".to_owned() } else { hashes.join(" ") };
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; \
         font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Base64 and the words above are visible ASCII.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The text of each script in the page.
fn scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once('>')?;
        Some(rest.split_once("</script>")?.0)
    })
}

#[cfg(test)]
mod tests;
