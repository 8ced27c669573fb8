//! What is wrong with a customer's key or role, in words for the people who can fix it.

mod check;
pub(crate) mod denials;
mod finding;
mod refusals;
pub mod remedies;
mod report;

pub use check::{Check, Verdict};
pub use finding::Finding;
pub use report::{CheckOutcome, Report};
