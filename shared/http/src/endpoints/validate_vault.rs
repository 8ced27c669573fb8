//! `POST /v1/vaults/{vault_id}/validate`, and the schedule.

use latchkey_core::caller::Caller;
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::ValidateVault;
use latchkey_core::ports::{Clock, CustomerKeys, DueVaults, VaultStore};
use latchkey_core::request::RequestContext;
use serde::{Deserialize, Serialize};

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

#[derive(Serialize)]
struct SweepResponse {
    shard: u32,
    shards: u32,
    vaults_checked: u32,
    vaults_validated: u32,
    vaults_changed: u32,
    vaults_failed: u32,
    vaults_left: u32,
}

impl<S: VaultStore + DueVaults, K: CustomerKeys, C: Clock> Endpoint for ValidateVaultEndpoint<S, K, C> {
    const NAME: &'static str = "validate-vault";

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let ValidateVaultRequest {} = json_body::parse(request.body())?;
        let report = self.0.run(context, caller, &vault_id).await?;
        Ok(Success::json(200, &report)?.about_vault(vault_id))
    }
    async fn sweep(&self, context: &RequestContext, shard: u32, shards: u32) -> Result<Success, Problem> {
        let partitions = DuePartition::of_shard(shard, shards);
        let swept = self.0.sweep(context, &partitions).await?;
        let response = SweepResponse {
            shard,
            shards,
            vaults_checked: swept.checked,
            vaults_validated: swept.validated,
            vaults_changed: swept.changed,
            vaults_failed: swept.failed,
            vaults_left: swept.left,
        };
        Success::json(200, &response)
    }
}
