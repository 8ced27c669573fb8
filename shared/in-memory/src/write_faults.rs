//! Writes that fail on order.

use core::future::pending;

use latchkey_core::ports::StoreError;

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// It has no effect and answers [`StoreError::Unavailable`].
    FailsBefore,
    /// It takes effect, but answers [`StoreError::Unavailable`]: the answer was lost.
    FailsAfter,
    /// It has no effect and never returns, as if the caller died just before it. Drop the caller's future.
    CrashesBefore,
    /// It takes effect and never returns, as if the caller died just after it. Drop the caller's future.
    CrashesAfter,
}

impl WriteFault {
    pub(super) const fn takes_effect(self) -> bool {
        matches!(self, Self::FailsAfter | Self::CrashesAfter)
    }

    /// What the writer sees of the fault.
    pub(super) async fn strike(self) -> StoreError {
        match self {
            Self::FailsBefore | Self::FailsAfter => StoreError::Unavailable,
            Self::CrashesBefore | Self::CrashesAfter => pending().await,
        }
    }
}

/// Counts writes, and says which one fails.
#[derive(Debug, Default)]
pub(super) struct WriteFaults {
    ordered: Option<(usize, WriteFault)>,
}

impl WriteFaults {
    /// Orders the fault for the `nth` write from now on, counted from 1. Replaces an earlier order.
    pub(super) const fn order(&mut self, nth: usize, fault: WriteFault) {
        self.ordered = Some((nth, fault));
    }

    pub(super) const fn is_ordered(&self) -> bool {
        self.ordered.is_some()
    }

    /// Counts a write, and says how it fails, if it does.
    pub(super) fn next(&mut self) -> Option<WriteFault> {
        let (left, fault) = self.ordered.take()?;
        match left.saturating_sub(1) {
            0 => Some(fault),
            left => {
                self.ordered = Some((left, fault));
                None
            }
        }
    }
}
