//! Counts how often each call was made.

use std::collections::BTreeMap;

/// A count for each kind of call.
#[derive(Debug)]
pub(super) struct Calls<Kind>(BTreeMap<Kind, usize>);

impl<Kind> Default for Calls<Kind> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<Kind: Ord> Calls<Kind> {
    pub(super) fn note(&mut self, kind: Kind) {
        let count = self.0.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// How many calls of the kinds that `counted` picks.
    pub(super) fn count(&self, counted: impl Fn(&Kind) -> bool) -> usize {
        self.0
            .iter()
            .filter(|(kind, _)| counted(kind))
            .map(|(_, count)| count)
            .sum()
    }
}
