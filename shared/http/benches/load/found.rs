//! Counts the answers by kind, and decides whether all of them are right.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::Called;

/// How many answers there were of each kind.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) opened: AtomicUsize,
    pub(crate) sealed: AtomicUsize,
    pub(crate) moved: AtomicUsize,
    pub(crate) strangers_refused: AtomicUsize,
    pub(crate) disabled_refused: AtomicUsize,
    pub(crate) lost: AtomicUsize,
    pub(crate) wrong: AtomicUsize,
    pub(crate) of_others: AtomicUsize,
    pub(crate) though_disabled: AtomicUsize,
}

impl Found {
    pub(crate) fn fault(&self, count: &AtomicUsize, items: usize, what: &str, called: &Called) {
        count.fetch_add(items, Ordering::Relaxed);
        if self.faults() < 20 {
            let body = String::from_utf8_lossy(&called.body);
            let told: String = body.chars().take(500).collect();
            println!("✗ {what}: {} {told}", called.status);
        }
    }

    pub(crate) fn faults(&self) -> usize {
        let faults = [&self.lost, &self.wrong, &self.of_others, &self.though_disabled];
        faults.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Prints the counts. Returns whether all answers are right.
    pub(crate) fn verdict(&self) -> bool {
        let Found {
            opened,
            sealed,
            moved,
            strangers_refused,
            disabled_refused,
            lost,
            wrong,
            of_others,
            though_disabled,
        } = self;
        println!(
            "{opened:?} items opened and compared, {sealed:?} sealed, {moved:?} moved; {strangers_refused:?} refused to \
             strangers, {disabled_refused:?} while their vault was disabled."
        );
        println!(
            "{lost:?} lost, {wrong:?} wrong, {of_others:?} of another workspace, {though_disabled:?} though disabled."
        );
        let done = [opened, sealed, moved, strangers_refused, disabled_refused];
        self.faults() == 0 && done.iter().all(|count| count.load(Ordering::Relaxed) > 0)
    }
}
