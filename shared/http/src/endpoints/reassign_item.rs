//! `POST /v1/items/reassign`

use base64ct::{Base64, Encoding};
use latchkey_core::Error;
use latchkey_core::caller::Caller;
use latchkey_core::error::Cause;
use latchkey_core::operations::{
    DecryptItemCommand, Operation, Ports, ReassignItem, Reassigned, ReassignedItem, Service,
};
use latchkey_core::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::VaultId;
use serde::{Deserialize, Serialize};

use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::decrypt_item::{SealedItemRequest, sealed_items};
use crate::endpoints::json_body::Object;
use crate::endpoints::{Endpoint, json_body};
use crate::event::ApiRequest;

/// reassign-item at the edge.
pub struct ReassignItemEndpoint<S, D, K, C>(pub ReassignItem<S, D, K, C>);

impl<P: Ports> From<&Service<P>> for ReassignItemEndpoint<P::Store, P::Store, P::CustomerKeys, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.reassign_item())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReassignItemRequest {
    to_vault_id: String,
    #[serde(default)]
    dry_run: bool,
    items: Vec<Object<SealedItemRequest>>,
}

#[derive(Serialize)]
struct ReassignItemResponse {
    vault_id: String,
    items: Vec<ReassignedItemResponse>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ReassignedItemResponse {
    Reassigned {
        item_id: String,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        sealed_item: Option<String>,
    },
    Failed {
        item_id: String,
        error: Box<Problem>,
    },
}

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> Endpoint for ReassignItemEndpoint<S, D, K, C> {
    const OPERATION: Operation = Operation::ReassignItem;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let request = json_body::parse::<ReassignItemRequest>(request.body())?;
        let dry_run = request.dry_run;
        let (to, items) = request.into_commands()?;
        let reassigned = self.0.run(context, caller, &to, items, dry_run).await?;
        let count = reassigned.len();
        let failed: Vec<_> = reassigned
            .iter()
            .filter_map(|item| item.outcome.as_ref().err())
            .map(Error::fault)
            .collect();
        let request_id = context.request_id.to_string();
        let response = ReassignItemResponse {
            vault_id: to.to_string(),
            items: reassigned
                .into_iter()
                .map(|item| ReassignedItemResponse::new(item, &request_id))
                .collect(),
        };
        Ok(Success::json(200, &response)?
            .about_vault(to)
            .about_items(count, &failed))
    }
}

impl ReassignItemRequest {
    fn into_commands(self) -> Result<(VaultId, Vec<DecryptItemCommand>), Problem> {
        let mut errors = FieldErrors::default();
        let to = errors.take("/to_vault_id", VaultId::parse(&self.to_vault_id));
        let items = sealed_items(self.items, &mut errors);
        errors.into_result()?;
        Ok((to.ok_or_else(|| Problem::internal(Cause::StepSkipped))?, items))
    }
}

impl ReassignedItemResponse {
    fn new(item: ReassignedItem, request_id: &str) -> Self {
        let ReassignedItem { item_id, outcome } = item;
        let (outcome, bytes) = match outcome {
            Ok(Reassigned::Moved(bytes)) => ("moved", Some(bytes)),
            Ok(Reassigned::Unchanged(bytes)) => ("unchanged", Some(bytes)),
            Ok(Reassigned::WouldMove) => ("would_move", None),
            Err(error) => {
                return Self::Failed {
                    item_id,
                    error: Box::new(Problem::from(error).with_request_id(request_id)),
                };
            }
        };
        Self::Reassigned {
            item_id,
            outcome,
            sealed_item: bytes.map(|bytes| Base64::encode_string(&bytes)),
        }
    }
}
