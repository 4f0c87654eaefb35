use proptest::prelude::*;

use super::Seq;

#[test]
fn a_number_before_the_initial_one_is_still_a_number() {
    let irs = Seq::from_initial(0);
    assert_eq!(Seq::nearest(0xffff_ffff, irs), irs - 1);
}

#[test]
fn numbers_across_the_wrap_are_ordered() {
    let iss = Seq::from_initial(u32::MAX);
    assert_eq!((iss + 1).to_wire(), 0);
    assert!(iss < iss + 1);
    assert_eq!((iss + 7).since(iss), 7);
    assert_eq!(iss.since(iss + 7), 0);
}

#[test]
fn at_half_a_turn_the_earlier_one_is_taken() {
    let near = Seq::from_initial(5);
    assert_eq!(Seq::nearest(5u32.wrapping_add(1 << 31), near), near - (1 << 31));
}

#[test]
fn both_ends_of_the_line_have_an_answer() {
    assert_eq!(Seq::nearest(u32::MAX, Seq::default()).as_u64(), u64::from(u32::MAX));
    assert_eq!(Seq::nearest(u32::MAX, Seq::default() + 3).to_wire(), u32::MAX);
    let last = Seq::default() + u64::MAX;
    assert_eq!(Seq::nearest(3, last).to_wire(), 3);
}

/// The definition of RFC 9293 §3.4, with nothing but wrapping 32-bit numbers.
fn wrapping_less(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

proptest! {
    #[test]
    fn the_nearest_one_is_congruent_and_within_half_a_turn(wire: u32, near in (1u64 << 32)..(1 << 60)) {
        let near = Seq::default() + near;
        let seq = Seq::nearest(wire, near);
        prop_assert_eq!(seq.to_wire(), wire);
        prop_assert!(seq.since(near).max(near.since(seq)) <= 1 << 31);
    }

    #[test]
    fn order_is_that_of_wrapping_comparison(iss: u32, sent in 0u64..1 << 40, a in 0u64..1 << 30, b in 0u64..1 << 30) {
        let near = Seq::from_initial(iss) + sent;
        let (a, b) = (near + a, near + b);
        prop_assert_eq!(Seq::nearest(a.to_wire(), near), a);
        prop_assert_eq!(a < b, wrapping_less(a.to_wire(), b.to_wire()));
    }

    #[test]
    fn adding_is_adding_modulo_a_turn(iss: u32, count in 0u64..1 << 50) {
        let seq = Seq::from_initial(iss) + count;
        prop_assert_eq!(seq.to_wire(), iss.wrapping_add(count as u32));
        prop_assert_eq!(seq - count, Seq::from_initial(iss));
    }
}
