//! Parsing and opening a message allocates at most a small multiple of its length, whatever its bytes say.
//!
//! This is a test binary of its own with a single test, because the allocator counts for the whole process.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use base64ct::{Base64, Encoding};
use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, Message, MessageId, MessageParameters, PlaintextDataKey,
    SealedItem, message,
};
use zeroize::Zeroizing;

/// The most memory that is allocated at a time while a message is parsed and opened, as a multiple of its length.
/// Measured: up to 1.24.
const MULTIPLE: usize = 2;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = ALLOCATED.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that are allocated at a time while these bytes are parsed and opened.
fn peak_of(bytes: &[u8], data_key: &PlaintextDataKey) -> usize {
    let before = ALLOCATED.load(Relaxed);
    PEAK.store(before, Relaxed);
    if let Ok(message) = Message::parse(bytes) {
        drop(message.open(data_key));
    }
    drop(SealedItem::parse(bytes));
    PEAK.load(Relaxed) - before
}

fn data_key() -> PlaintextDataKey {
    PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32]))
}

fn sealed(encryption_context: &EncryptionContext, frame_length: u32, plaintext: &[u8]) -> Vec<u8> {
    let parameters = MessageParameters {
        data_key: &data_key(),
        encrypted_data_key: &EncryptedDataKey::kms_rsa("arn", vec![0xed; 512]).unwrap(),
        encryption_context,
        message_id: &MessageId::from_bytes([7; 32]),
        frame_length: FrameLength::new(frame_length).unwrap(),
    };
    message::seal(&parameters, plaintext).unwrap()
}

/// As many pairs as fit: the shortest ones that are all different.
fn most_pairs() -> EncryptionContext {
    let keys = (0_u32..).filter_map(char::from_u32).map(String::from);
    let mut pairs = vec![(String::new(), String::new())];
    let mut length = 2 + 4;
    for key in keys {
        length += 4 + key.len();
        if length > 65_535 {
            break;
        }
        pairs.push((key, String::new()));
    }
    EncryptionContext::new(pairs).unwrap()
}

fn vectors() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    ["official.json", "messages.json", "items.json", "malformed.json"]
        .iter()
        .flat_map(|file| {
            let content: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
            let vectors = content["vectors"].as_array().unwrap().clone();
            vectors
                .into_iter()
                .filter_map(|vector| Some(Base64::decode_vec(vector["message"].as_str()?).unwrap()))
        })
        .collect()
}

#[test]
fn a_message_makes_nothing_allocate_more_than_a_small_multiple_of_its_length() {
    let data_key = data_key();
    let none = EncryptionContext::default();
    let pairs = most_pairs();
    let mut messages = vectors();
    messages.push(sealed(&none, 4096, &vec![0; 1 << 20]));
    // The most frames for this many bytes, and the most pairs.
    messages.push(sealed(&none, 1, &vec![0; 100_000]));
    messages.push(sealed(&pairs, 4096, b"plaintext"));
    // Each length that a message states is set to its maximum.
    let whole = sealed(&none, 16, &[0; 40]);
    for at in 0..whole.len() - 4 {
        for width in [2, 4, 8] {
            let mut lying = whole.clone();
            lying[at..].iter_mut().take(width).for_each(|byte| *byte = 0xff);
            messages.push(lying);
        }
    }

    // The crypto library's first call allocates what it keeps.
    assert!(peak_of(&whole, &data_key) > 0, "the allocator counts");
    for message in &messages {
        let allowed = MULTIPLE * message.len();
        let peak = peak_of(message, &data_key);
        assert!(peak <= allowed, "{peak} bytes for a message of {}", message.len());
    }
}
