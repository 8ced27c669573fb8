//! Where and as what a function runs, as far as the edge must know.

use std::env;

use latchkey_core::values::Region;

use crate::event::{ClaimNames, RestClaimsPlace};

/// The deployment that a function is part of.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The Region that the function runs in.
    pub region: Region,
    /// The stage: the one dimension that all metrics have, so that stages in one account are told apart.
    pub stage: String,
    /// The claims that say who calls.
    pub claim_names: ClaimNames,
    /// Where the claims stand in the events of a REST API.
    pub rest_claims_place: RestClaimsPlace,
}

impl Deployment {
    /// Reads `AWS_REGION`, `LATCHKEY_STAGE` the names of the claims and their place in a REST API's events.
    ///
    /// # Errors
    /// When the Region is none of ours, the stage is not said, or the claims' place is none.
    pub fn from_environment() -> Result<Self, lambda_runtime::Error> {
        Ok(Self {
            region: env::var("AWS_REGION")?.parse()?,
            stage: env::var("LATCHKEY_STAGE")?,
            claim_names: ClaimNames::from_environment(),
            rest_claims_place: RestClaimsPlace::from_environment()?,
        })
    }
}
