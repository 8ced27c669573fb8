//! Searches all writable memory of this process for a secret, as a core dump or a debugger would show it.
//!
//! Linux only: /proc/self/maps lists the memory, and /proc/self/mem reads it. The bytes to search for are kept in
//! disguise, so that the search does not find itself.

#![cfg(target_os = "linux")]
#![allow(clippy::arithmetic_side_effects)]

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use zeroize::{Zeroize, Zeroizing};

const DISGUISE: u8 = 0xa5;
const CHUNK_LENGTH: usize = 1 << 20;

/// Allows one search at a time. A search holds a copy of what it has just read, and another search would find it.
static SEARCH: Mutex<()> = Mutex::new(());

/// The bytes to look for, each XORed with [`DISGUISE`].
#[derive(Clone)]
pub(crate) struct Needle(Vec<u8>);

impl Needle {
    /// A needle that this process never held in its plain form: the random bytes are the disguised form.
    pub(crate) fn random(length: usize) -> Self {
        let mut disguised = vec![0; length];
        aws_lc_rs::rand::fill(&mut disguised).unwrap();
        Self(disguised)
    }

    /// A needle from a text constant. The constant is in memory that is not writable, so it is not searched.
    pub(crate) fn from_hex(hex: &str) -> Self {
        let digit = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
        let pairs = hex.as_bytes().chunks(2);
        Self(
            pairs
                .map(|pair| (digit(pair[0]) << 4 | digit(pair[1])) ^ DISGUISE)
                .collect(),
        )
    }

    /// A needle for bytes that are in memory.
    pub(crate) fn of(plain: &[u8]) -> Self {
        Self(plain.iter().map(|byte| byte ^ DISGUISE).collect())
    }

    /// The same needle as SHA-512 keeps it in its message schedule: little-endian words of 8 bytes.
    pub(crate) fn byte_swapped(&self) -> Self {
        Self(self.0.chunks(8).flat_map(|word| word.iter().rev().copied()).collect())
    }

    /// Writes the plain form byte by byte into the place where it is to live.
    pub(crate) fn reveal(&self, place: &mut [u8]) {
        for (plain, disguised) in place.iter_mut().zip(&self.0) {
            *plain = *disguised ^ DISGUISE;
        }
    }

    /// The search is for the second half only: the allocator overwrites the first 16 bytes of a freed block.
    fn second_half(&self) -> &[u8] {
        &self.0[self.0.len() / 2..]
    }

    fn is_at_the_start_of(&self, bytes: &[u8]) -> bool {
        let half = self.second_half();
        bytes.len() >= half.len()
            && bytes
                .iter()
                .zip(half)
                .all(|(byte, disguised)| *byte ^ DISGUISE == *disguised)
    }

    /// How many times the needle is in memory.
    pub(crate) fn count(&self) -> usize {
        let _alone = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chunk = vec![0_u8; CHUNK_LENGTH];
        // The chunk's own memory is skipped: it still holds what the last read left in it.
        let own = chunk.as_ptr() as u64..chunk.as_ptr() as u64 + CHUNK_LENGTH as u64;
        let memory = File::open("/proc/self/mem").unwrap();
        let mut count = 0;
        for map in writable_maps() {
            for part in [map.start..map.end.min(own.start), map.start.max(own.end)..map.end] {
                count += self.count_in(&memory, part, &mut chunk);
            }
        }
        chunk.as_mut_slice().zeroize();
        count
    }

    fn count_in(&self, memory: &File, part: Range<u64>, chunk: &mut [u8]) -> usize {
        let (mut at, mut count) = (part.start, 0);
        while at < part.end {
            let length = chunk.len().min((part.end - at) as usize);
            // The memory was unmapped since the maps were read, or nothing backs it.
            let Ok(read) = memory.read_at(&mut chunk[..length], at) else {
                return count;
            };
            count += (0..read)
                .filter(|start| self.is_at_the_start_of(&chunk[*start..read]))
                .count();
            if read < self.second_half().len() || at + read as u64 >= part.end {
                return count;
            }
            // Chunks overlap, so a needle across two of them is whole in the second.
            at += (read - self.second_half().len() + 1) as u64;
        }
        count
    }
}

fn writable_maps() -> Vec<Range<u64>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let address = |hex| u64::from_str_radix(hex, 16).unwrap();
    maps.lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let (start, end) = fields.next()?.split_once('-')?;
            fields.next()?.starts_with("rw").then(|| address(start)..address(end))
        })
        .collect()
}

/// Runs `make` and then `drop` on a thread of its own. The thread waits while `alive` runs after the first and `gone`
/// after the second. So nothing overwrites what they left on that thread's stack.
pub(crate) fn observe<T>(
    make: impl FnOnce() -> T + Send,
    alive: impl FnOnce(),
    drop: impl FnOnce(T) + Send,
    gone: impl FnOnce(),
) {
    let (reached, wait_for) = mpsc::channel();
    let (go_on, wait_to) = mpsc::channel();
    // The scope takes both ends of the channels, so a panic in it closes them and the thread ends.
    thread::scope(move |scope| {
        scope.spawn(move || {
            let made = far_down_the_stack(make);
            reached.send(()).unwrap();
            wait_to.recv().unwrap();
            far_down_the_stack(|| drop(made));
            reached.send(()).unwrap();
            let _ = wait_to.recv();
        });
        wait_for.recv().unwrap();
        alive();
        go_on.send(()).unwrap();
        wait_for.recv().unwrap();
        gone();
        go_on.send(()).unwrap();
    });
}

/// Calls `call` far down the stack, so that the waits above do not overwrite what the call left there.
#[inline(never)]
fn far_down_the_stack<T>(call: impl FnOnce() -> T) -> T {
    let between = std::hint::black_box([0_u8; 1 << 16]);
    let result = call();
    std::hint::black_box(&between);
    result
}

#[test]
fn a_needle_is_found_wherever_it_stands() {
    let needle = Needle::random(32);
    assert_eq!(needle.count(), 0);
    let mut heap = Zeroizing::new(vec![0; 3 * CHUNK_LENGTH]);
    needle.reveal(&mut heap[..32]);
    needle.reveal(&mut heap[CHUNK_LENGTH - 24..CHUNK_LENGTH + 8]);
    let last = heap.len() - 32;
    needle.reveal(&mut heap[last..]);
    assert_eq!(needle.count(), 3);
    observe(
        || {
            let mut stack = Zeroizing::new([0; 4096]);
            needle.reveal(&mut stack[1000..1032]);
            std::hint::black_box(&stack);
            // Left on the stack, as a careless function would leave it.
            std::mem::forget(stack);
        },
        || assert!(needle.count() > 3, "what a function leaves on its stack is found"),
        |()| {},
        || {},
    );
}
