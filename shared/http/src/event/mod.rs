//! What Lambda hands to a function: an event of an HTTP API, a REST API or a Function URL, one that somebody wrote to invoke the
//! function directly, or the schedule's.
//!
//! The shape is found first, then each field that we need is parsed once. The others are ignored, for AWS adds fields as it likes.
//! The types of `lambda_http` would read the same; docs/adr/0018 says why they hold these readers in tests and are not linked.
//! Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda proxy integrations in API
//! Gateway" (REST); Lambda developer guide, "Invoking Lambda function URLs".

mod api_request;
mod caller;
mod claims;
mod named_values;
mod payload;
mod shape;

pub use api_request::ApiRequest;
pub use caller::{ClaimNames, NoCaller};
pub use claims::{NoClaimsPlace, RestClaimsPlace};
pub use payload::Event;
