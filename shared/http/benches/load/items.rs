//! The items. What they hold follows from their ids and a key, so only their sealed bytes are kept, in a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;

use aws_lc_rs::hmac;
use fastrand::Rng;

const SMALLEST: f64 = 16.0;
const LARGEST: f64 = 65_536.0;
/// Room for what a sealed item adds to its plaintext: for its header, and for the frames in each 4 KiB. Both are more
/// than enough.
const HEADER: usize = 2_048;
const FRAME: usize = 128;

pub struct Items {
    items: Vec<Item>,
    sealed: File,
    key: hmac::Key,
}

/// An item. It never leaves its workspace.
pub struct Item {
    pub item_id: String,
    pub workspace: usize,
    size: usize,
    place: u64,
    room: usize,
    state: Mutex<State>,
}

struct State {
    /// The latest version that a call was asked to seal.
    latest: u32,
    /// What the file holds.
    kept: Option<Kept>,
}

/// Which version of an item the file holds, and in which vault it is sealed.
#[derive(Clone, Copy)]
pub struct Kept {
    pub version: u32,
    pub vault: usize,
    length: usize,
}

impl Items {
    /// Makes items. `workspaces` has the workspace of each.
    pub fn new(workspaces: &[usize], seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut end = 0;
        let item = |(number, &workspace): (usize, &usize)| {
            let size = (SMALLEST * (LARGEST / SMALLEST).powf(random.f64())) as usize;
            let room = size + (size / 4096 + 1) * FRAME + HEADER;
            let place = end;
            end += room as u64;
            Item {
                item_id: format!("account-{number}/secret"),
                workspace,
                size,
                place,
                room,
                state: Mutex::new(State { latest: 0, kept: None }),
            }
        };
        Self {
            items: workspaces.iter().enumerate().map(item).collect(),
            sealed: tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).expect("a file"),
            key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()),
        }
    }

    pub fn of(&self, item: usize) -> &Item {
        &self.items[item]
    }

    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// Starts a new version of the item, to be sealed.
    pub fn new_version(&self, item: usize) -> u32 {
        let mut state = self.items[item].state.lock().unwrap();
        state.latest += 1;
        state.latest
    }

    /// The plaintext of a version of the item.
    pub fn plaintext(&self, item: usize, version: u32) -> Vec<u8> {
        let item = &self.items[item];
        let tag = hmac::sign(
            &self.key,
            format!("{}\n{}\n{version}", item.workspace, item.item_id).as_bytes(),
        );
        let seed = u64::from_be_bytes(tag.as_ref()[..8].try_into().unwrap());
        let mut plaintext = vec![0; item.size];
        Rng::with_seed(seed).fill(&mut plaintext);
        plaintext
    }

    /// Keeps a sealed item, unless a later version is kept already.
    pub fn keep(&self, item: usize, version: u32, vault: usize, sealed: &[u8]) {
        let item = &self.items[item];
        assert!(sealed.len() <= item.room, "{} of {}", sealed.len(), item.size);
        let mut state = item.state.lock().unwrap();
        if state.kept.is_none_or(|kept| kept.version <= version) {
            self.sealed.write_all_at(sealed, item.place).expect("written");
            let length = sealed.len();
            state.kept = Some(Kept { version, vault, length });
        }
    }

    /// The sealed item. `None` until there is one.
    pub fn kept(&self, item: usize) -> Option<(Kept, Vec<u8>)> {
        let item = &self.items[item];
        let state = item.state.lock().unwrap();
        let kept = state.kept?;
        let mut sealed = vec![0; kept.length];
        self.sealed.read_exact_at(&mut sealed, item.place).expect("read");
        Some((kept, sealed))
    }
}

impl Item {
    pub const fn size(&self) -> usize {
        self.size
    }
}
