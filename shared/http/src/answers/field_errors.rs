//! Everything that is wrong with a request, collected.

use latchkey_core::values::Invalid;

use crate::answers::{FieldError, Problem};

/// The most errors that an answer names: four for each of 100 items, which have three fields each.
const MOST_ERRORS: usize = 400;

/// Collects everything that is wrong with a request, so that the caller can fix it in one go.
#[derive(Default)]
pub(crate) struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Returns the value. If it is invalid, notes the error under `pointer` and returns `None`.
    pub(crate) fn take<T>(&mut self, pointer: impl Into<String>, value: Result<T, Invalid>) -> Option<T> {
        value
            .map_err(|invalid| self.note(pointer, format!("must be {invalid}")))
            .ok()
    }

    pub(crate) fn note(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.push(FieldError {
            pointer: format!("#{}", pointer.into()),
            parameter: None,
            detail: detail.into(),
        });
    }

    /// Notes what is wrong with a query parameter or a header.
    pub(crate) fn note_parameter(&mut self, name: impl Into<String>, detail: impl Into<String>) {
        self.push(FieldError {
            pointer: String::new(),
            parameter: Some(name.into()),
            detail: detail.into(),
        });
    }

    fn push(&mut self, error: FieldError) {
        if self.0.len() < MOST_ERRORS {
            self.0.push(error);
        }
    }

    /// `Ok` when nothing was noted.
    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::malformed(self.0))
        }
    }
}
