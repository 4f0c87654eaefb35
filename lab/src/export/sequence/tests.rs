use super::*;
use crate::export::tests::{broken_run, long_run, lossy_run};
use tcpstack::tcp::State;

fn drawn() -> Picture {
    picture(&lossy_run(), Language::English)
}

#[test]
fn arrows_slope_down_from_lifeline_to_lifeline() {
    let picture = drawn();
    assert_eq!(picture.arrows.len(), 16);
    for arrow in picture.arrows.iter().filter(|arrow| arrow.end == ArrowEnd::Arrives) {
        assert!(arrow.to.1 > arrow.from.1, "{arrow:?}");
        assert_eq!(arrow.from.0, picture.lanes[arrow.lane].x);
        assert_eq!(arrow.to.0, picture.lanes[1 - arrow.lane].x);
    }
}

#[test]
fn a_lost_segment_dies_between_the_lifelines() {
    let picture = drawn();
    let lost: Vec<_> = picture.arrows.iter().filter(|one| one.end == ArrowEnd::Lost).collect();
    let [lost] = lost[..] else { panic!("{lost:?}") };
    assert!(picture.lanes[0].x < lost.to.0 && lost.to.0 < picture.lanes[1].x);
}

#[test]
fn no_two_words_beside_a_lifeline_share_a_place() {
    for language in [Language::English, Language::Chinese] {
        let picture = picture(&lossy_run(), language);
        for (at, one) in picture.notes.iter().enumerate() {
            for other in &picture.notes[at + 1..] {
                let same = one.lane == other.lane && one.x == other.x;
                assert!(!same || (one.y - other.y).abs() >= ROW, "{one:?}\n{other:?}");
            }
        }
    }
}

#[test]
fn the_minute_of_time_wait_is_folded_into_a_mark_that_says_how_long_it_was() {
    let picture = drawn();
    let fold = picture.folds.last().unwrap();
    assert_eq!(fold.text, "59.7 s");
    assert!(picture.height < 2_000.0, "{}", picture.height);
    let bar = picture.bars.iter().find(|bar| bar.state == State::TimeWait).unwrap();
    assert!(bar.top < fold.y && fold.y < bar.bottom);
}

#[test]
fn what_happens_later_stands_lower() {
    let picture = drawn();
    assert!(picture.ticks.is_sorted_by(|a, b| a.y + ROW <= b.y), "{:?}", picture.ticks);
    let inside = |y: f64| (0.0..picture.height).contains(&y);
    assert!(picture.arrows.iter().all(|arrow| inside(arrow.from.1) && inside(arrow.to.1)));
}

#[test]
fn a_run_longer_than_anybody_looks_at_ends_with_a_word() {
    let picture = picture(&long_run(2 * MOST_ROWS), Language::English);
    assert!(picture.left_out > MOST_ROWS / 2, "{}", picture.left_out);
    assert!(picture.notes.len() <= MOST_ROWS);
}

#[test]
fn positions_that_lead_nowhere_are_left_out() {
    let picture = picture(&broken_run(), Language::English);
    assert!(!picture.arrows.is_empty());
}

#[test]
fn a_text_is_cut_by_what_it_takes_on_the_page() {
    assert_eq!(cut("abcdef", 6), "abcdef");
    assert_eq!(cut("abcdef", 5), "abcd…");
    assert_eq!(cut("客户端服务器", 5), "客户…");
}
