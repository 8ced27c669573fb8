//! What Lambda hands to a function: an event of an HTTP API, a REST API, a Function URL or the schedule, or an event that someone
//! wrote to invoke the function directly.
//!
//! The service is found first. Then each field that we need is parsed once. Other fields are ignored, because AWS may add some at
//! any time. `lambda_http` has types for most of this. docs/adr/0018 says why only tests use them.
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
