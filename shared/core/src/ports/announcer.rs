//! The event bus.

use core::future::Future;

use crate::vault::announcement::Announcement;

/// The event bus, on which changes of vaults' health are announced.
pub trait Announcer: Send + Sync {
    /// Puts one announcement on the bus. `Ok` means that the bus has it.
    fn announce(&self, announcement: &Announcement) -> impl Future<Output = Result<(), AnnouncerError>> + Send;
}

/// The event bus did not take an announcement, or did not confirm it. It is announced again, under the same event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event bus did not take the announcement")]
pub struct AnnouncerError;
