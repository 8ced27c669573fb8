//! The settings of a deployment that the edge needs.

use std::env;

use latchkey_core::values::Region;

use crate::event::{ClaimNames, RestClaimsPlace};

/// The deployment that a function is part of.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The Region that the function runs in.
    pub region: Region,
    /// The stage. Every metric has it as a dimension, so that the stages in one account can be told apart.
    pub stage: String,
    /// The names of the claims that identify the caller.
    pub claim_names: ClaimNames,
    /// Where a REST API's events have the claims.
    pub rest_claims_place: RestClaimsPlace,
}

impl Deployment {
    /// Reads `AWS_REGION`, `LATCHKEY_STAGE`, and the settings of [`ClaimNames`] and [`RestClaimsPlace`].
    ///
    /// # Errors
    /// If the Region is not one of ours, the stage is not set, or the place of the claims is not valid.
    pub fn from_environment() -> Result<Self, lambda_runtime::Error> {
        Ok(Self {
            region: env::var("AWS_REGION")?.parse()?,
            stage: env::var("LATCHKEY_STAGE")?,
            claim_names: ClaimNames::from_environment(),
            rest_claims_place: RestClaimsPlace::from_environment()?,
        })
    }
}
