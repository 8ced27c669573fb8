//! Optimistic locking: a caller can say which state of a vault its change is meant for.

use core::fmt;

/// The state of a vault that callers change: its version, and whether it is the default. Health is left out, because it
/// changes without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultTag {
    /// See [`Vault::version`](crate::vault::Vault::version).
    pub version: u64,
    /// Whether it is the default of its workspace.
    pub is_default: bool,
}

impl VaultTag {
    const DEFAULT_SUFFIX: &str = "-default";

    /// Parses a tag; `None` unless we wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('v')?;
        let (digits, is_default) = match rest.strip_suffix(Self::DEFAULT_SUFFIX) {
            Some(digits) => (digits, true),
            None => (rest, false),
        };
        let version = digits.parse().ok()?;
        let tag = Self { version, is_default };
        (tag.to_string() == text).then_some(tag)
    }
}

impl fmt::Display for VaultTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.is_default { Self::DEFAULT_SUFFIX } else { "" };
        write!(f, "v{}{suffix}", self.version)
    }
}

/// What must hold for a change to be made.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// The vault is in one of these states.
    OneOf(Vec<VaultTag>),
}

impl Precondition {
    /// Whether it holds for a vault in the state `tag`.
    pub fn holds(&self, tag: VaultTag) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(tags) => tags.contains(&tag),
        }
    }

    /// The version that the write must find on record: the one that the precondition was checked against.
    pub(crate) const fn version_to_find(&self, found: VaultTag) -> Option<u64> {
        match self {
            Self::None => None,
            Self::OneOf(_) => Some(found.version),
        }
    }

    /// Whether it held one change ago. That change may have been this same request, with its answer lost.
    pub(crate) fn held_one_change_before(&self, tag: VaultTag) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(tags) => tags.iter().any(|it| it.version.checked_add(1) == Some(tag.version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_as_it_was_written_and_nothing_else_does() {
        for is_default in [false, true] {
            let tag = VaultTag { version: 7, is_default };
            assert_eq!(VaultTag::parse(&tag.to_string()), Some(tag));
        }
        for text in [
            "",
            "7",
            "v",
            "v-1",
            "v+7",
            "v07",
            "v7-",
            "v7-Default",
            "v7 ",
            "V7",
            "v18446744073709551616",
        ] {
            assert_eq!(VaultTag::parse(text), None, "{text}");
        }
    }
}
