use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn id(slot: u32) -> SocketId {
    SocketId { slot, generation: 1 }
}

proptest! {
    #[test]
    fn the_queue_agrees_with_a_plain_list(
        changes in prop::collection::vec((0u32..20, prop::option::of(0u64..50)), 0..200),
        now in 0u64..50,
    ) {
        let mut queue = Deadlines::default();
        let mut model: HashMap<u32, Instant> = HashMap::new();
        for (slot, after) in changes {
            let after = after.map(Instant::from_nanos);
            queue.change(id(slot), model.get(&slot).copied(), after);
            match after {
                Some(deadline) => model.insert(slot, deadline),
                None => model.remove(&slot),
            };
            prop_assert_eq!(queue.next(), model.values().min().copied());
        }
        let now = Instant::from_nanos(now);
        let mut due: Vec<_> =
            model.iter().filter(|(_, at)| **at <= now).map(|(slot, at)| (*at, id(*slot))).collect();
        due.sort_unstable();
        let expected: Vec<_> = due.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(queue.due(now).to_vec(), expected);
        prop_assert_eq!(queue.len(), model.len());
    }
}
