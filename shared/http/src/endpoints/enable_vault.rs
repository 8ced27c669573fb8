//! `POST /v1/vaults/{vault_id}/enable`

use latchkey_core::caller::Caller;
use latchkey_core::operations::{EnableVault, Operation, Ports, Service};
use latchkey_core::ports::{Clock, CustomerKeys, VaultStore};
use latchkey_core::request::RequestContext;
use serde::Deserialize;

use crate::answers::{Problem, Success};
use crate::endpoints::if_match;
use crate::endpoints::{Endpoint, json_body, vault_id_of};
use crate::event::ApiRequest;

/// enable-vault at the edge.
pub struct EnableVaultEndpoint<S, K, C>(pub EnableVault<S, K, C>);

impl<P: Ports> From<&Service<P>> for EnableVaultEndpoint<P::Store, P::CustomerKeys, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.enable_vault())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnableVaultRequest {}

impl<S: VaultStore, K: CustomerKeys, C: Clock> Endpoint for EnableVaultEndpoint<S, K, C> {
    const OPERATION: Operation = Operation::EnableVault;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let EnableVaultRequest {} = json_body::parse(request.body())?;
        let precondition = if_match::precondition(request)?;
        let (view, report) = self.0.run(context, caller, &vault_id, &precondition).await?;
        Success::vault(200, view, Some(report))
    }
}
