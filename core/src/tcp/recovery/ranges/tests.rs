use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Ranges;
use crate::tcp::seq::Seq;

fn at(number: u64) -> Seq {
    Seq::default() + number
}

fn list(ranges: &Ranges) -> Vec<(u64, u64)> {
    ranges.iter().map(|(start, end)| (start.as_u64(), end.as_u64())).collect()
}

#[test]
fn ranges_that_touch_become_one() {
    let mut ranges = Ranges::default();
    ranges.insert(at(10), at(20));
    ranges.insert(at(30), at(40));
    assert_eq!(list(&ranges), [(10, 20), (30, 40)]);
    ranges.insert(at(20), at(30));
    assert_eq!(list(&ranges), [(10, 40)]);
    assert_eq!(ranges.len(), 30);
}

#[test]
fn a_hole_leaves_what_is_on_both_sides() {
    let mut ranges = Ranges::default();
    ranges.insert(at(10), at(40));
    ranges.remove(at(20), at(30));
    assert_eq!(list(&ranges), [(10, 20), (30, 40)]);
    ranges.remove(at(30), at(30));
    ranges.remove_below(at(35));
    assert_eq!(list(&ranges), [(35, 40)]);
    assert_eq!(ranges.around(at(39)), Some((at(35), at(40))));
    assert_eq!(ranges.around(at(40)), None);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, u64),
    Remove(u64, u64),
    RemoveBelow(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..60_u64, 0..12_u64).prop_map(|(start, len)| Step::Insert(start, start + len)),
        (0..60_u64, 0..12_u64).prop_map(|(start, len)| Step::Remove(start, start + len)),
        (0..60_u64).prop_map(Step::RemoveBelow),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn it_holds_what_a_set_of_numbers_holds(steps in steps()) {
        let (mut ranges, mut model) = (Ranges::default(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Insert(start, end) => {
                    ranges.insert(at(start), at(end));
                    model.extend(start..end);
                }
                Step::Remove(start, end) => {
                    ranges.remove(at(start), at(end));
                    model.retain(|number| !(start..end).contains(number));
                }
                Step::RemoveBelow(seq) => {
                    ranges.remove_below(at(seq));
                    model.retain(|number| *number >= seq);
                }
            }
            ranges.check();
            let held: BTreeSet<u64> =
                list(&ranges).into_iter().flat_map(|(start, end)| start..end).collect();
            prop_assert_eq!(&held, &model);
        }
    }
}
