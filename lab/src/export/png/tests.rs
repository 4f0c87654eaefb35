use super::*;
use crate::export::tests::lossy_run;

#[test]
fn a_picture_without_typefaces_says_what_to_install() {
    let text = svg::svg(&lossy_run(), Language::English, Theme::Light);
    let error = draw(&text, fontdb::Database::new()).unwrap_err().to_string();
    assert!(error.contains("fonts-dejavu"), "{error}");
}

#[test]
fn a_character_that_no_typeface_has_is_an_error_that_names_the_package() {
    assert!(package('中').contains("fonts-noto-cjk"));
    assert!(package('↻').contains("fonts-dejavu"));
}

#[test]
fn a_run_too_long_for_one_picture_is_refused() {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    if fonts.is_empty() {
        return assert!(
            std::env::var_os("CI").is_none(),
            "no typefaces here (package fonts-dejavu)"
        );
    }
    let text = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9000\" height=\"90000\"/>";
    let error = draw(text, fonts).unwrap_err();
    assert!(matches!(error, PngError::TooLarge { .. }), "{error}");
}

#[test]
fn the_picture_is_as_large_as_the_drawing_at_twice_its_size() {
    let run = lossy_run();
    let picture = crate::export::sequence::picture(&run, Language::English);
    let file = match png(&run, Language::English, Theme::Light) {
        Ok(file) => file,
        Err(error) => return assert!(std::env::var_os("CI").is_none(), "{error}"),
    };
    assert_eq!(&file[1..4], b"PNG");
    let field = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(
        (field(16), field(20)),
        (picture.width.round() as u32 * 2, picture.height.round() as u32 * 2)
    );
}
