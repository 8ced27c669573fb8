//! `POST /v1/items/decrypt`

use latchkey_core::Error;
use latchkey_core::caller::Caller;
use latchkey_core::operations::{DecryptItem, DecryptItemCommand, OpenedItem, Operation, Ports, Service};
use latchkey_core::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use latchkey_core::request::RequestContext;
use serde::{Deserialize, Serialize};

use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::items::{ItemContextRequest, check_context, check_item_id, counted};
use crate::endpoints::json_body::Object;
use crate::endpoints::{Endpoint, json_body};
use crate::event::ApiRequest;
use crate::secret_text::{Base64Bytes, PlaintextBase64};

/// decrypt-item at the edge.
pub struct DecryptItemEndpoint<S, D, K, C>(pub DecryptItem<S, D, K, C>);

impl<P: Ports> From<&Service<P>> for DecryptItemEndpoint<P::Store, P::Store, P::CustomerKeys, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.decrypt_item())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecryptItemRequest {
    items: Vec<Object<SealedItemRequest>>,
}

/// A sealed item as decrypt-item and reassign-item take it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedItemRequest {
    item_id: String,
    sealed_item: Base64Bytes,
    #[serde(default)]
    context: ItemContextRequest,
}

#[derive(Serialize)]
struct DecryptItemResponse {
    items: Vec<OpenedItemResponse>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OpenedItemResponse {
    Opened {
        item_id: String,
        plaintext: PlaintextBase64,
    },
    Failed {
        item_id: String,
        error: Box<Problem>,
    },
}

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> Endpoint for DecryptItemEndpoint<S, D, K, C> {
    const OPERATION: Operation = Operation::DecryptItem;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let items = json_body::parse::<DecryptItemRequest>(request.body())?.into_commands()?;
        let count = items.len();
        let opened = self.0.run(context, caller, items).await;
        let failed: Vec<_> = opened
            .iter()
            .filter_map(|item| item.outcome.as_ref().err())
            .map(Error::fault)
            .collect();
        let request_id = context.request_id.to_string();
        let items = opened
            .into_iter()
            .map(|item| OpenedItemResponse::new(item, &request_id))
            .collect();
        Ok(Success::json(200, &DecryptItemResponse { items })?.about_items(count, &failed))
    }
}

impl DecryptItemRequest {
    fn into_commands(self) -> Result<Vec<DecryptItemCommand>, Problem> {
        let mut errors = FieldErrors::default();
        let items = sealed_items(self.items, &mut errors);
        errors.into_result()?;
        Ok(items)
    }
}

/// The items of a request. Notes what is wrong with them.
pub(super) fn sealed_items(items: Vec<Object<SealedItemRequest>>, errors: &mut FieldErrors) -> Vec<DecryptItemCommand> {
    let items = counted(errors, items);
    for (place, Object(item)) in items.iter().enumerate() {
        errors.take(format!("/items/{place}/item_id"), check_item_id(&item.item_id));
        errors.take(format!("/items/{place}/context"), check_context(&item.context.0));
    }
    items.into_iter().map(|Object(item)| item.into_command()).collect()
}

impl SealedItemRequest {
    /// A sealed item that is not base64 counts as one that does not open, so that it does not fail the others.
    fn into_command(self) -> DecryptItemCommand {
        let sealed_item = self.sealed_item.into_bytes();
        let sealed_item = sealed_item
            .map(|mut bytes| core::mem::take(&mut *bytes))
            .unwrap_or_default();
        DecryptItemCommand {
            item_id: self.item_id,
            context: self.context.0,
            sealed_item,
        }
    }
}

impl OpenedItemResponse {
    fn new(item: OpenedItem, request_id: &str) -> Self {
        match item.outcome {
            Ok(plaintext) => Self::Opened {
                item_id: item.item_id,
                plaintext: PlaintextBase64::of(&plaintext),
            },
            Err(error) => Self::Failed {
                item_id: item.item_id,
                error: Box::new(Problem::from(error).with_request_id(request_id)),
            },
        }
    }
}
