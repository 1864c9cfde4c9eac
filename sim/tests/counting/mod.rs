//! The system's allocator with counts of what it is asked for, which are the same on every machine.
//!
//! A thread reads its own counts, so that tests can run beside one another. [`of_all`] is for what several threads do together;
//! a thread that is set [`apart`] does not count there.

// A global allocator cannot be written without `unsafe`; this one hands everything to the system's.
#![allow(unsafe_code)]
#![allow(dead_code, reason = "each test reads some of the counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
    static IS_APART: Cell<bool> = const { Cell::new(false) };
}
static OF_ALL: AtomicU64 = AtomicU64::new(0);

/// Allocations of this thread so far.
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// Allocations of all threads so far, without those that are apart.
pub fn of_all() -> u64 {
    OF_ALL.load(Ordering::Relaxed)
}

/// Leaves this thread out of [`of_all`] from now on.
pub fn apart() {
    IS_APART.set(true);
}

/// What a piece of work gave, and by how many bytes this thread held more at its peak than before it.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, i64) {
    let before = BYTES.get();
    PEAK.set(before);
    let done = work();
    (done, PEAK.get() - before)
}

struct Counting;

fn count(bytes: i64) {
    BYTES.set(BYTES.get() + bytes);
    PEAK.set(PEAK.get().max(BYTES.get()));
}

fn count_allocation(bytes: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    if !IS_APART.get() {
        OF_ALL.fetch_add(1, Ordering::Relaxed);
    }
    count(bytes as i64);
}

// SAFETY: every call goes to the system's allocator as it came; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocation(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps the contract of `dealloc`, and the block came from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks exist while the contents move.
        count_allocation(size);
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps the contract of `realloc`, and the block came from the system.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
