//! Looks for a secret in all the memory of this process that can be written, as a core dump or a debugger would.
//!
//! Linux alone: /proc/self/maps says what there is, /proc/self/mem reads it. What is searched for is kept in disguise, so
//! that the search does not find itself.

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

/// One search at a time: it holds a copy of what it has just read, which another would find.
static SEARCH: Mutex<()> = Mutex::new(());

/// The bytes to look for, each XORed with [`DISGUISE`].
#[derive(Clone)]
pub(crate) struct Needle(Vec<u8>);

impl Needle {
    /// A needle of which this process never held the plain form: random bytes are taken for the disguised ones.
    pub(crate) fn random(length: usize) -> Self {
        let mut disguised = vec![0; length];
        aws_lc_rs::rand::fill(&mut disguised).unwrap();
        Self(disguised)
    }

    /// A needle from a text constant, which is in memory that cannot be written and so is not searched.
    pub(crate) fn from_hex(hex: &str) -> Self {
        let digit = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
        let pairs = hex.as_bytes().chunks(2);
        Self(
            pairs
                .map(|pair| (digit(pair[0]) << 4 | digit(pair[1])) ^ DISGUISE)
                .collect(),
        )
    }

    /// A needle for bytes that live.
    pub(crate) fn of(plain: &[u8]) -> Self {
        Self(plain.iter().map(|byte| byte ^ DISGUISE).collect())
    }

    /// The same needle as SHA-512 keeps it in its message schedule: words of 8 bytes, little-endian.
    pub(crate) fn byte_swapped(&self) -> Self {
        Self(self.0.chunks(8).flat_map(|word| word.iter().rev().copied()).collect())
    }

    /// Writes the plain form: one byte at a time, into the place where it is to live.
    pub(crate) fn reveal(&self, place: &mut [u8]) {
        for (plain, disguised) in place.iter_mut().zip(&self.0) {
            *plain = *disguised ^ DISGUISE;
        }
    }

    /// Its second half is searched for: of a block that was freed, the first 16 bytes are the allocator's own.
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

    /// How many times it stands in memory.
    pub(crate) fn count(&self) -> usize {
        let _alone = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chunk = vec![0_u8; CHUNK_LENGTH];
        // Reading the chunk's own memory would find what the last read left in it.
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
            // Gone since the maps were read, or not backed by memory.
            let Ok(read) = memory.read_at(&mut chunk[..length], at) else {
                return count;
            };
            count += (0..read)
                .filter(|start| self.is_at_the_start_of(&chunk[*start..read]))
                .count();
            if read < self.second_half().len() || at + read as u64 >= part.end {
                return count;
            }
            // A needle across two chunks is whole in the second.
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

/// Runs `make` and then `drop` on a thread of its own, which stands still whenever the caller looks: `alive` after the
/// first, `gone` after the second. So nothing overwrites what is left on that thread's stack.
pub(crate) fn observe<T>(
    make: impl FnOnce() -> T + Send,
    alive: impl FnOnce(),
    drop: impl FnOnce(T) + Send,
    gone: impl FnOnce(),
) {
    let (reached, wait_for) = mpsc::channel();
    let (go_on, wait_to) = mpsc::channel();
    // Takes both ends along, so that a panic in here closes them and the thread ends.
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

/// Calls with so much stack in between that the waiting above writes over nothing that the call has left.
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
            // Left on the stack, as a careless function would.
            std::mem::forget(stack);
        },
        || assert!(needle.count() > 3, "what a function leaves on its stack is found"),
        |()| {},
        || {},
    );
}
