//! What Lambda hands to a function: an event of an HTTP API, a REST API or a Function URL, one that somebody wrote to invoke the
//! function directly, or the schedule's.
//!
//! The shape is found first, then each field is parsed once: context and path through the types of `lambda_http`, the rest by
//! ourselves (docs/adr/0018). Of an event only what we need is read; anything else in it is ignored, for AWS adds fields as it
//! likes.
//! Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda proxy integrations in API
//! Gateway" (REST); Lambda developer guide, "Invoking Lambda function URLs".

mod api_request;
mod caller;
mod claims;
mod event;
mod named_values;
mod shape;
mod through_lambda_http;

pub use api_request::ApiRequest;
pub use caller::{ClaimNames, NoCaller};
pub use claims::{NoClaimsPlace, RestClaimsPlace};
pub use event::Event;
