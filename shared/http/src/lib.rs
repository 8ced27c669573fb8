//! The HTTP edge: callers, the shapes of requests and answers, problem details, the audit log and telemetry.
//!
//! A function passes the endpoint of its operation to [`serve`]. Whatever a stranger can send is parsed
//! here, once, into types of `latchkey-core` that are always valid. No inner layer checks it again.
//!
//! The modules are layers. Each imports only from those above it in this table:
//!
//! | layer | what is in it |
//! | --- | --- |
//! | `secret_text` | text and bytes that may be plaintext |
//! | [`event`] | an event, and the caller from its verified claims |
//! | [`answers`] | responses, the one map from an error to a problem, vaults as JSON, ETags |
//! | [`telemetry`] | the audit line, metrics, the log |
//! | [`endpoints`] | one for each function: parses a request, writes the answer |
//! | [`process`] | the runtime's loop, time limit, panics, the allocator that zeroes |
//! | [`canary`] | the function that calls the deployed functions |
//!
//! An event as API Gateway sends it, and its answer:
//!
//! ```
//! use std::time::Duration;
//!
//! use latchkey_in_memory::InMemoryRecords;
//! use latchkey_core::operations::ListVaults;
//! use latchkey_core::values::Region;
//! use latchkey_core::request::RequestContext;
//! use latchkey_core::values::RequestId;
//! use latchkey_http::event::{ClaimNames, RestClaimsPlace};
//! use latchkey_http::endpoints::ListVaultsEndpoint;
//! use latchkey_http::{Deployment, answer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = ListVaultsEndpoint(ListVaults { store: InMemoryRecords::new() });
//! let event = serde_json::value::to_raw_value(&serde_json::json!({
//!     "requestContext": {
//!         "requestId": "JKJaXmPLvHcESHA=",
//!         "authorizer": { "jwt": { "claims": { "workspace_id": "ws-acme", "role": "member", "sub": "user-1" } } },
//!     },
//! }))?;
//! let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
//! let mut audit_log = Vec::new();
//! let deployment = Deployment {
//!     region: Region::UsEast2,
//!     stage: "production".to_owned(),
//!     claim_names: ClaimNames::from_environment(),
//!     rest_claims_place: RestClaimsPlace::default(),
//! };
//! let response = answer(&endpoint, &deployment, &context, event, &mut audit_log).await;
//!
//! assert_eq!(response.status_code, 200);
//! assert_eq!(response.body.as_str(), r#"{"vaults":[]}"#);
//! let line: serde_json::Value = serde_json::from_slice(&audit_log)?;
//! assert_eq!(line["operation"], "list-vaults");
//! # Ok(())
//! # }
//! ```

pub mod answers;
pub mod canary;
pub mod endpoints;
pub mod event;
pub mod process;
mod secret_text;
pub mod telemetry;

pub use answers::{FileAnswer, Response, Success};
pub use endpoints::Endpoint;
pub use process::{ALLOCATOR, Allocator, AnyEndpoint, Deployment, answer, block_on, init, serve};
