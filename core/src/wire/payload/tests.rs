use bytes::Bytes;
use proptest::prelude::*;

use super::super::checksum;
use super::Payload;

/// The bytes of `all`, cut at `cuts` into slices, some of which may be empty.
fn cut(all: &[u8], cuts: &[usize]) -> Payload {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (all.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.insert(0, 0);
    cuts.push(all.len());
    cuts.windows(2).map(|cut| Bytes::copy_from_slice(&all[cut[0]..cut[1]])).collect()
}

proptest! {
    /// Wherever its slices end, a payload is its bytes.
    #[test]
    fn where_the_slices_end_makes_no_difference(
        all in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(any::<usize>(), 0..5),
        at in 0..320usize,
        len in 0..320usize,
    ) {
        let payload = cut(&all, &cuts);
        prop_assert!(payload.slices().iter().all(|slice| !slice.is_empty()));
        prop_assert_eq!((payload.len(), payload.is_empty()), (all.len(), all.is_empty()));
        prop_assert_eq!(payload.get(at), all.get(at).copied());
        prop_assert_eq!(payload.sum(), checksum::sum(&all));
        prop_assert_eq!(payload.slices().concat(), all.clone());

        let mut rest = payload.clone();
        let front = rest.split_to(at);
        let (front_expected, rest_expected) = all.split_at(at.min(all.len()));
        prop_assert_eq!((front.len(), rest.len()), (front_expected.len(), rest_expected.len()));
        prop_assert_eq!(&front.clone().into_bytes()[..], front_expected);
        prop_assert_eq!(&rest.clone().into_bytes()[..], rest_expected);
        for slice in front.into_iter().collect::<Vec<_>>().into_iter().rev() {
            rest.push_front(slice);
        }
        prop_assert_eq!((rest.len(), &rest.into_bytes()[..]), (all.len(), &all[..]));

        let mut short = payload;
        short.truncate(len);
        prop_assert_eq!(&short.into_bytes()[..], &all[..len.min(all.len())]);
    }
}

#[test]
fn nothing_is_copied_while_it_is_cut() {
    let slice = Bytes::from(vec![7; 100]);
    let memory = slice.as_ptr() as usize;
    let mut payload = Payload::from(slice);
    let front = payload.split_to(30);
    payload.truncate(50);
    assert_eq!(front.into_bytes().as_ptr() as usize, memory);
    assert_eq!(payload.into_bytes().as_ptr() as usize, memory + 30);
}
