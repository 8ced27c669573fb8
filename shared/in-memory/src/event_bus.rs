//! The event bus.

use std::sync::{Arc, Mutex};

use super::lock;
use latchkey_core::ports::{Announcer, AnnouncerError};
use latchkey_core::vault::announcement::Announcement;

/// An event bus that keeps what it was given. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct InMemoryEventBus(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    events: Vec<Announcement>,
    refuses: bool,
}

impl InMemoryEventBus {
    /// Everything announced so far.
    pub fn events(&self) -> Vec<Announcement> {
        lock(&self.0).events.clone()
    }

    /// Sets whether it refuses events from now on.
    pub fn set_refuses(&self, refuses: bool) {
        lock(&self.0).refuses = refuses;
    }
}

impl Announcer for InMemoryEventBus {
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnouncerError> {
        let mut state = lock(&self.0);
        if state.refuses {
            return Err(AnnouncerError);
        }
        state.events.push(announcement.clone());
        Ok(())
    }
}
