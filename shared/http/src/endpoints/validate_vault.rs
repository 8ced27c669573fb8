//! `POST /v1/vaults/{vault_id}/validate`, and the schedule.

use latchkey_core::caller::Caller;
use latchkey_core::operations::ValidateVault;
use latchkey_core::ports::{Clock, CustomerKeys, VaultStore};
use latchkey_core::request::RequestContext;
use serde::Deserialize;

use super::vault_id_of;
use crate::event::ApiRequest;
use crate::json_body;
use crate::problem::Problem;
use crate::serve::{Endpoint, Success};

/// validate-vault at the edge.
pub struct ValidateVaultEndpoint<S, K, C>(pub ValidateVault<S, K, C>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidateVaultRequest {}

impl<S: VaultStore, K: CustomerKeys, C: Clock> Endpoint for ValidateVaultEndpoint<S, K, C> {
    const NAME: &'static str = "validate-vault";
    const ANSWERS_SCHEDULE: bool = true;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let ValidateVaultRequest {} = json_body::parse(request.body())?;
        let report = self.0.run(context, caller, &vault_id).await?;
        Ok(Success::json(200, &report)?.about_vault(vault_id))
    }
}
