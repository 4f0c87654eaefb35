//! What hostile packets cost, counted and never timed: packets sent, allocations made, bytes kept.
//! The allocator counts for each thread, so that tests beside each other do not disturb.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts what this thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator as it came; the counters, which need no
// allocation themselves, change nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate when its counters are gone.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        let _ = ALLOCATED.try_with(|bytes| bytes.set(bytes.get() + layout.size() as u64));
        let _ = LIVE.try_with(|bytes| bytes.set(bytes.get() + layout.size() as i64));
        // SAFETY: the caller keeps `alloc`'s contract, which is the system's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = LIVE.try_with(|bytes| bytes.set(bytes.get() - layout.size() as i64));
        // SAFETY: `pointer` came from `alloc` above with this layout, hence from the system.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What was done since the victim's work was last counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) allocations: u64,
    pub(crate) allocated_bytes: u64,
    /// How much more memory the whole thread holds than when the counting began.
    pub(crate) kept_bytes: i64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    allocations: u64,
    allocated: u64,
    live: i64,
}

impl Mark {
    pub(crate) fn now() -> Mark {
        Mark {
            allocations: ALLOCATIONS.with(Cell::get),
            allocated: ALLOCATED.with(Cell::get),
            live: LIVE.with(Cell::get),
        }
    }
}

impl Work {
    /// Adds what was asked of the allocator since `mark`: the victim's part alone.
    pub(crate) fn add_since(&mut self, mark: Mark) {
        let now = Mark::now();
        self.allocations += now.allocations - mark.allocations;
        self.allocated_bytes += now.allocated - mark.allocated;
    }

    /// The same with what is kept since `start`.
    pub(crate) fn until_now(self, start: Mark) -> Work {
        Work { kept_bytes: Mark::now().live - start.live, ..self }
    }

    /// Asserts bounds: packets sent and allocations per hostile packet, and bytes kept in all.
    #[track_caller]
    pub(crate) fn assert_bounded(&self, packets: f64, allocations: f64, kept_bytes: i64) {
        let each = self.packets_in.max(1) as f64;
        let (sent, made) = (self.packets_out as f64 / each, self.allocations as f64 / each);
        println!(
            "{sent:.3} packets and {made:.2} allocations each, {} bytes kept",
            self.kept_bytes
        );
        assert!(sent <= packets, "{sent:.3} packets sent for each: {self:?}");
        assert!(made <= allocations, "{made:.2} allocations for each: {self:?}");
        assert!(self.kept_bytes <= kept_bytes, "{} bytes kept: {self:?}", self.kept_bytes);
    }
}
