//! The answers that callers get: a success or a problem.

mod entity_tag;
mod field_error;
mod field_errors;
mod problem;
mod response;
mod success;
pub(crate) mod vault_response;

pub use field_error::FieldError;
pub(crate) use field_errors::FieldErrors;
pub use problem::Problem;
pub use response::Response;
pub(crate) use response::respond;
pub use success::{FileAnswer, Success};
