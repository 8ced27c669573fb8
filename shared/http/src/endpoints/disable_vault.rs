//! `POST /v1/vaults/{vault_id}/disable`

use latchkey_core::caller::Caller;
use latchkey_core::operations::{DisableMode, DisableVault, Operation, Ports, Service};
use latchkey_core::ports::{Clock, VaultStore};
use latchkey_core::request::RequestContext;
use serde::Deserialize;

use crate::answers::{Problem, Success};
use crate::endpoints::if_match;
use crate::endpoints::{Endpoint, json_body, vault_id_of};
use crate::event::ApiRequest;

/// disable-vault at the edge.
pub struct DisableVaultEndpoint<S, C>(pub DisableVault<S, C>);

impl<P: Ports> From<&Service<P>> for DisableVaultEndpoint<P::Store, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.disable_vault())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisableVaultRequest {
    #[serde(default)]
    mode: ModeRequest,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeRequest {
    #[default]
    Disabled,
    DecryptOnly,
}

impl<S: VaultStore, C: Clock> Endpoint for DisableVaultEndpoint<S, C> {
    const OPERATION: Operation = Operation::DisableVault;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let DisableVaultRequest { mode } = json_body::parse(request.body())?;
        let mode = match mode {
            ModeRequest::Disabled => DisableMode::Disabled,
            ModeRequest::DecryptOnly => DisableMode::DecryptOnly,
        };
        let precondition = if_match::precondition(request)?;
        let view = self.0.run_if(context, caller, &vault_id, mode, &precondition).await?;
        Success::vault(200, view, None)
    }
}
