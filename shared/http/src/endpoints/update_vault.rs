//! `PATCH /v1/vaults/{vault_id}`

use latchkey_core::caller::Caller;
use latchkey_core::operations::{Operation, Ports, Service, UpdateVault, UpdateVaultCommand};
use latchkey_core::ports::{Clock, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{DataKeyCacheBound, VaultName};
use serde::{Deserialize, Deserializer};

use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::if_match;
use crate::endpoints::{Endpoint, json_body, vault_id_of};
use crate::event::ApiRequest;

/// update-vault at the edge.
pub struct UpdateVaultEndpoint<S, C>(pub UpdateVault<S, C>);

impl<P: Ports> From<&Service<P>> for UpdateVaultEndpoint<P::Store, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.update_vault())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateVaultRequest {
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    is_default: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    data_key_cache_seconds: Option<u64>,
}

impl<S: VaultStore, C: Clock> Endpoint for UpdateVaultEndpoint<S, C> {
    const OPERATION: Operation = Operation::UpdateVault;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let vault_id = vault_id_of(request)?;
        let command = json_body::parse::<UpdateVaultRequest>(request.body())?.into_command()?;
        let precondition = if_match::precondition(request)?;
        let view = self.0.run(context, caller, &vault_id, &command, &precondition).await?;
        Success::vault(200, view, None)
    }
}

impl UpdateVaultRequest {
    fn into_command(self) -> Result<UpdateVaultCommand, Problem> {
        let mut errors = FieldErrors::default();
        let name = self.name.map(|name| errors.take("/name", VaultName::parse(&name)));
        let data_key_cache = self
            .data_key_cache_seconds
            .map(|seconds| errors.take("/data_key_cache_seconds", DataKeyCacheBound::from_seconds(seconds)));
        let command = UpdateVaultCommand {
            name: name.flatten(),
            is_default: self.is_default,
            data_key_cache: data_key_cache.flatten(),
        };
        errors.into_result()?;
        if command == UpdateVaultCommand::default() {
            let mut errors = FieldErrors::default();
            errors.note(
                "",
                "must have at least one of name, is_default and data_key_cache_seconds",
            );
            errors.into_result()?;
        }
        Ok(command)
    }
}

/// A field that is present must have a value: `null` does not mean "leave it".
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
