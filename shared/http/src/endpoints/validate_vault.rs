//! `POST /v1/vaults/{vault_id}/validate`, and the schedule.

use jiff::Timestamp;
use latchkey_core::caller::Caller;
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::{CheckedVault, Operation, Ports, Service, SweepVaults};
use latchkey_core::ports::{Announcer, Clock, CustomerKeys, DueVaults, VaultStore};
use latchkey_core::request::RequestContext;
use serde::{Deserialize, Serialize};

use crate::answers::{Problem, Success};
use crate::endpoints::{Endpoint, json_body, vault_id_of};
use crate::event::ApiRequest;
use crate::telemetry::audit::CheckAuditRecord;
use crate::telemetry::log::Log;
use crate::telemetry::metrics::SweepMetrics;

/// validate-vault at the edge, and the sweep, which uses it.
pub struct ValidateVaultEndpoint<S, K, C, A>(pub SweepVaults<S, K, C, A>);

impl<P: Ports> From<&Service<P>> for ValidateVaultEndpoint<P::Store, P::CustomerKeys, P::Clock, P::Announcer> {
    fn from(service: &Service<P>) -> Self {
        Self(service.sweep_vaults())
    }
}

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
    vaults_unannounced: u32,
    events_announced: u32,
}

impl<S: VaultStore + DueVaults, K: CustomerKeys, C: Clock, A: Announcer> Endpoint
    for ValidateVaultEndpoint<S, K, C, A>
{
    const OPERATION: Operation = Operation::ValidateVault;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let ValidateVaultRequest {} = json_body::parse(request.body())?;
        let report = self.0.validate_vault.run(context, caller, &vault_id).await?;
        Ok(Success::json(200, &report)?.about_vault(vault_id))
    }

    async fn sweep(
        &self,
        context: &RequestContext,
        stage: &str,
        shard: u32,
        shards: u32,
        log: &Log<'_>,
    ) -> Result<Success, Problem> {
        let partitions = DuePartition::of_shard(shard, shards);
        let home = self.0.validate_vault.home;
        let audit = |checked: &CheckedVault<'_>| log.write(&CheckAuditRecord::new(home, &context.request_id, checked));
        let swept = self.0.run(context, &partitions, &audit).await?;
        let metrics = SweepMetrics::new(&swept, stage, Timestamp::now());
        // If the metrics cannot be written, what was done still counts. The alarm on missing metrics rings.
        let _ = log.write(&metrics);
        let response = SweepResponse {
            shard,
            shards,
            vaults_checked: swept.checked,
            vaults_validated: swept.validated,
            vaults_changed: swept.changed,
            vaults_failed: swept.failed,
            vaults_left: swept.left,
            vaults_unannounced: swept.unannounced,
            events_announced: swept.announced,
        };
        Success::json(200, &response)
    }
}
