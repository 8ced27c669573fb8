//! The one error of every parser in the domain: what was expected. It never repeats the input.

/// A value that does not have the form of what it was given for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expected}")]
pub struct Invalid {
    expected: &'static str,
}

impl Invalid {
    /// `expected` completes the sentence "the field must be ...". It also says what to do where that is not obvious.
    pub const fn expected(expected: &'static str) -> Self {
        Self { expected }
    }

    /// What would have been accepted.
    pub const fn expectation(&self) -> &'static str {
        self.expected
    }
}
