//! The sequence diagram as pixels: the SVG drawn by `resvg` with the system's typefaces.
//!
//! A typeface that lacks the picture's characters would give boxes: that is an error which says what to install.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, FontResolver, fontdb};
use tcpstack::event::Language;

use super::{Theme, svg};
use crate::run::{Run, Text};

/// Pixels per pixel of the SVG: sharp on today's screens.
const SCALE: f32 = 2.0;
/// The most pixels of a picture: 400 MB while it is drawn.
const MOST_PIXELS: f32 = 1e8;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// No installed typeface can write the picture's words.
    #[error("no typeface here has the characters of this picture: install {package}")]
    NoFont {
        /// The package that brings one.
        package: &'static str,
    },
    /// The run is too long for one picture.
    #[error(
        "the picture would have {width:.0} x {height:.0} pixels: write it as SVG, or a shorter run"
    )]
    TooLarge {
        /// Pixels.
        width: f32,
        /// Pixels.
        height: f32,
    },
    /// The SVG could not be read.
    #[error("drawing the picture: {0}")]
    Svg(#[from] usvg::Error),
    /// The pixels could not be written.
    #[error("writing the picture: {0}")]
    Encode(String),
}

impl PngError {
    /// The same for a reader, in each language.
    pub fn text(&self) -> Text {
        let zh = match self {
            PngError::NoFont { package } => {
                format!("这里没有能写出图中文字的字体：请安装 {package}")
            }
            PngError::TooLarge { width, height } => {
                format!("图将有 {width:.0} x {height:.0} 像素：请写成 SVG，或选一次较短的运行")
            }
            PngError::Svg(source) => format!("无法绘图：{source}"),
            PngError::Encode(source) => format!("无法写出图像：{source}"),
        };
        Text { en: self.to_string(), zh }
    }
}

/// The sequence diagram of `run`.
///
/// # Errors
/// [`PngError`].
pub fn png(run: &Run, language: Language, theme: Theme) -> Result<Vec<u8>, PngError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    draw(&svg::svg(run, language, theme), fonts)
}

fn draw(text: &str, mut fonts: fontdb::Database) -> Result<Vec<u8>, PngError> {
    let any = fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    let Some(any) = any else { return Err(PngError::NoFont { package: LATIN }) };
    // Where none of the families that the picture names is installed, any is better than none.
    fonts.set_sans_serif_family(any.clone());
    fonts.set_monospace_family(any);
    let missing = Arc::new(OnceLock::new());
    let font_resolver = resolver(Arc::clone(&missing));
    let options =
        usvg::Options { fontdb: Arc::new(fonts), font_resolver, ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(text, &options)?;
    if let Some(character) = missing.get() {
        return Err(PngError::NoFont { package: package(*character) });
    }
    let size = tree.size();
    let (width, height) = (size.width() * SCALE, size.height() * SCALE);
    if width * height > MOST_PIXELS {
        return Err(PngError::TooLarge { width, height });
    }
    let mut pixels = Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or(PngError::TooLarge { width, height })?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PngError::Encode(error.to_string()))
}

/// Chooses typefaces as `usvg` does, but where the first lacks a character looks for the most alike, and notes the
/// first character that none has.
fn resolver(missing: Arc<OnceLock<char>>) -> FontResolver<'static> {
    let next = FontResolver::default_fallback_selector();
    FontResolver {
        select_font: FontResolver::default_font_selector(),
        select_fallback: Box::new(move |character, used, fonts| {
            let mut refused = used.to_vec();
            let mut best = None;
            while let Some(face) = next(character, &refused, fonts) {
                refused.push(face);
                let likeness = fonts.face(face).map_or(0, likeness);
                if best.is_none_or(|(most, _)| likeness > most) {
                    best = Some((likeness, face));
                }
            }
            if best.is_none() && !character.is_whitespace() {
                // The first one is enough to say what is missing.
                let _ = missing.set(character);
            }
            best.map(|(_, face)| face)
        }),
    }
}

/// How well a face goes with the others: upright, without serifs, and of CJK faces the one for simplified Chinese.
fn likeness(face: &fontdb::FaceInfo) -> u32 {
    let family = face.families.first().map_or("", |(name, _)| name.as_str());
    let is_upright = face.style == fontdb::Style::Normal && face.weight == fontdb::Weight::NORMAL;
    let signs = [
        (family.contains("Sans"), 8),
        (is_upright, 4),
        (!family.contains("Mono"), 2),
        (family.ends_with("SC") || !family.contains("CJK"), 1),
    ];
    signs.into_iter().filter(|(has, _)| *has).map(|(_, weight)| weight).sum()
}

const LATIN: &str = "fonts-dejavu (Debian) or dejavu-sans-fonts (Fedora)";
const CJK: &str = "fonts-noto-cjk (Debian) or google-noto-sans-cjk-fonts (Fedora)";

/// What brings a typeface that has `character`.
fn package(character: char) -> &'static str {
    if matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{ffef}') { CJK } else { LATIN }
}

#[cfg(test)]
mod tests;
