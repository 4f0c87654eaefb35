//! Wide characters keep their place, and nothing leaves the grid.

use super::*;

fn text(canvas: Canvas) -> Vec<String> {
    let join = |line: Line| line.into_iter().map(|span| span.text).collect();
    canvas.into_rows().into_iter().map(join).collect()
}

#[test]
fn wide_characters_take_two_columns() {
    let mut canvas = Canvas::new(10, 1);
    canvas.write(0, 0, 10, &[span("状态", Style::Plain), span("|", Style::Dim)]);
    canvas.put(0, 9, '|', Style::Plain);
    assert_eq!(text(canvas), ["状态|    |"]);
}

#[test]
fn half_a_wide_character_leaves_a_blank() {
    let mut canvas = Canvas::new(4, 1);
    canvas.write(0, 0, 4, &[span("状态", Style::Plain)]);
    canvas.put(0, 1, '|', Style::Plain);
    canvas.put(0, 2, '|', Style::Plain);
    assert_eq!(text(canvas), [" ||"]);
}

#[test]
fn what_does_not_fit_is_cut_with_an_ellipsis() {
    let mut canvas = Canvas::new(20, 2);
    canvas.write(0, 0, 6, &[span("connect(3)", Style::Call)]);
    canvas.write_right(1, 2, 7, &[span("状态状态", Style::Plain)]);
    assert_eq!(text(canvas), ["conne…", "  状态…"]);
}

#[test]
fn nothing_is_drawn_outside_the_grid() {
    let mut canvas = Canvas::new(3, 1);
    canvas.put(0, 2, '状', Style::Plain);
    canvas.put(1, 0, 'x', Style::Plain);
    canvas.write(0, 9, 3, &[span("x", Style::Plain)]);
    assert_eq!(text(canvas), [""]);
}
