//! `POST /v1/items/encrypt`

use base64ct::{Base64, Encoding};
use latchkey_core::caller::Caller;
use latchkey_core::operations::{EncryptItem, EncryptItemCommand, Operation, Ports, Service};
use latchkey_core::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{Invalid, VaultId};
use sealed_item::Plaintext;
use serde::{Deserialize, Serialize};

use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::items::{ItemContextRequest, MAX_PLAINTEXT, check_context, check_item_id, counted};
use crate::endpoints::json_body::Object;
use crate::endpoints::{Endpoint, json_body};
use crate::event::ApiRequest;
use crate::secret_text::Base64Bytes;

/// encrypt-item at the edge.
pub struct EncryptItemEndpoint<S, D, K, C>(pub EncryptItem<S, D, K, C>);

impl<P: Ports> From<&Service<P>> for EncryptItemEndpoint<P::Store, P::Store, P::CustomerKeys, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.encrypt_item())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EncryptItemRequest {
    #[serde(default)]
    vault_id: Option<String>,
    items: Vec<Object<PlaintextItemRequest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaintextItemRequest {
    item_id: String,
    plaintext: Base64Bytes,
    #[serde(default)]
    context: ItemContextRequest,
}

#[derive(Serialize)]
struct EncryptItemResponse {
    vault_id: String,
    items: Vec<SealedItemResponse>,
}

#[derive(Serialize)]
struct SealedItemResponse {
    item_id: String,
    sealed_item: String,
}

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> Endpoint for EncryptItemEndpoint<S, D, K, C> {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let (vault_id, items) = json_body::parse::<EncryptItemRequest>(request.body())?.into_commands()?;
        let sealed = self.0.run(context, caller, vault_id, items).await?;
        let response = EncryptItemResponse {
            vault_id: sealed.vault_id.to_string(),
            items: sealed
                .items
                .into_iter()
                .map(|(item_id, bytes)| SealedItemResponse {
                    item_id,
                    sealed_item: Base64::encode_string(&bytes),
                })
                .collect(),
        };
        let count = response.items.len();
        Ok(Success::json(200, &response)?
            .about_vault(sealed.vault_id)
            .about_items(count, &[]))
    }
}

impl EncryptItemRequest {
    fn into_commands(self) -> Result<(Option<VaultId>, Vec<EncryptItemCommand>), Problem> {
        let mut errors = FieldErrors::default();
        let vault_id = self
            .vault_id
            .and_then(|text| errors.take("/vault_id", VaultId::parse(&text)));
        let items: Vec<_> = counted(&mut errors, self.items)
            .into_iter()
            .enumerate()
            .filter_map(|(place, Object(item))| item.into_command(place, &mut errors))
            .collect();
        errors.into_result()?;
        let total = items
            .iter()
            .fold(0_usize, |total, item| total.saturating_add(item.plaintext.len()));
        if total > MAX_PLAINTEXT {
            return Err(Problem::too_large(
                "The items have more than 4 MiB of plaintext together. Send fewer per call.",
            ));
        }
        Ok((vault_id, items))
    }
}

impl PlaintextItemRequest {
    fn into_command(self, place: usize, errors: &mut FieldErrors) -> Option<EncryptItemCommand> {
        let id_fits = errors.take(format!("/items/{place}/item_id"), check_item_id(&self.item_id));
        let context_fits = errors.take(format!("/items/{place}/context"), check_context(&self.context.0));
        let bytes = errors.take(
            format!("/items/{place}/plaintext"),
            self.plaintext
                .into_bytes()
                .ok_or(Invalid::expected("standard base64 with padding")),
        );
        id_fits.and(context_fits)?;
        Some(EncryptItemCommand {
            item_id: self.item_id,
            context: self.context.0,
            plaintext: Plaintext::from(bytes?),
        })
    }
}
