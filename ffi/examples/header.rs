//! Writes `include/tcpstack.h` anew: `cargo run -p tcpstack-ffi --example header`.

#[path = "header/options.rs"]
mod options;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

/// The header as the sources have it now.
///
/// # Errors
/// The configuration or a source file can't be read or parsed.
pub fn generate() -> Result<String, Box<dyn Error>> {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(package.join("cbindgen.toml"))?;
    let end = config.header.as_deref().and_then(|text| text.rfind(" */"));
    if let (Some(header), Some(end)) = (config.header.as_mut(), end) {
        header.insert_str(end, &options::manual());
    }
    config.after_includes = config.after_includes.map(|text| text + &version());
    let mut text = Vec::new();
    cbindgen::generate_with_config(&package, config)?.write(&mut text);
    Ok(String::from_utf8(text)?)
}

/// The version's macros: the library's own version and these have one source.
fn version() -> String {
    format!(
        "\n/**\n * The version of this header; tcps_version() is that of the library that runs.\n */\n\
         #define TCPSTACK_VERSION \"{}\"\n\
         #define TCPSTACK_VERSION_MAJOR {}\n\
         #define TCPSTACK_VERSION_MINOR {}\n\
         #define TCPSTACK_VERSION_PATCH {}\n",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    )
}

/// Where the header is kept.
#[must_use]
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../include/tcpstack.h")
}

fn main() -> Result<(), Box<dyn Error>> {
    fs::write(path(), generate()?)?;
    Ok(())
}
