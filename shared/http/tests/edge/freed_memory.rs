//! Looks at freed memory, and finds secrets in it that were not zeroed before.
//!
//! The allocator passes every call on to the system's. It looks only on the thread that asked for it, so that it does
//! not slow down other tests.

#![allow(unsafe_code, reason = "an allocator is unsafe to write")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::{ptr, slice};

/// The bytes that are looked for.
pub const NEEDLES: [&[u8]; 2] = [b"canary-plaintext", b"Y2FuYXJ5LXBsYWludGV4dGNhbmFyeS1w"];

struct Looking;

#[global_allocator]
static ALLOCATOR: Looking = Looking;

thread_local! {
    static FOUND: Cell<Option<usize>> = const { Cell::new(None) };
}

/// How many blocks with a needle this thread frees during `work`.
pub async fn freed_with_a_needle<T>(work: impl Future<Output = T>) -> (T, usize) {
    FOUND.set(Some(0));
    let done = work.await;
    (done, FOUND.take().expect("nobody else looks on this thread"))
}

/// How many of them this thread has freed until now.
pub fn found_so_far() -> usize {
    FOUND.get().unwrap_or_default()
}

fn look(block: &[u8]) {
    if let Ok(Some(found)) = FOUND.try_with(Cell::get) {
        let has = |needle: &&[u8]| block.windows(needle.len()).any(|window| window == *needle);
        if NEEDLES.iter().any(has) {
            FOUND.set(Some(found + 1));
        }
    }
}

// SAFETY: passes every call on to the system's allocator. A block is read before it is freed, and all of it is
// allocated.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that whatever is read when it is freed was written by its owner.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        look(unsafe { slice::from_raw_parts(block, layout.size()) });
        unsafe { System.dealloc(block, layout) }
    }

    /// A block that grows is copied, and the old one is freed as it is.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(grown) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        let new = unsafe { self.alloc(grown) };
        if !new.is_null() {
            unsafe {
                ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[tokio::test]
async fn what_is_freed_as_it_is_is_found() {
    let (_, found) = freed_with_a_needle(async { drop(NEEDLES[0].to_vec()) }).await;
    assert_eq!(found, 1);
    let (_, found) = freed_with_a_needle(async { drop(NEEDLES[1][1..].to_vec()) }).await;
    assert_eq!(found, 0);
}
