//! `GET /v1/vaults` and `GET /v1/vaults/{vault_id}`

use latchkey_core::caller::Caller;
use latchkey_core::health::HealthState;
use latchkey_core::operations::{ListVaults, Operation, Ports, Service, VaultFilter};
use latchkey_core::ports::VaultStore;
use latchkey_core::request::RequestContext;
use latchkey_core::values::VaultId;
use latchkey_core::vault::VaultStatus;
use serde::Serialize;

use crate::answers::vault_response::VaultResponse;
use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::{Endpoint, next_token, vault_id_of};
use crate::event::ApiRequest;

/// The page size, unless the request sets another.
const DEFAULT_LIMIT: usize = 50;
/// The largest page size.
const MAX_LIMIT: usize = 100;

/// list-vaults at the edge.
pub struct ListVaultsEndpoint<S>(pub ListVaults<S>);

impl<P: Ports> From<&Service<P>> for ListVaultsEndpoint<P::Store> {
    fn from(service: &Service<P>) -> Self {
        Self(service.list_vaults())
    }
}

/// The page and the list that the request asks for.
struct ListVaultsRequest {
    filter: VaultFilter,
    after: Option<VaultId>,
    limit: usize,
}

#[derive(Serialize)]
struct ListVaultsResponse {
    vaults: Vec<VaultResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl<S: VaultStore> Endpoint for ListVaultsEndpoint<S> {
    const OPERATION: Operation = Operation::ListVaults;

    fn operation(request: &ApiRequest) -> Operation {
        if request.path_names_vault() {
            Operation::GetVault
        } else {
            Self::OPERATION
        }
    }

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        if request.path_names_vault() {
            ListVaultsRequest::refuse_parameters(request)?;
            let vault_id = vault_id_of(request)?;
            return Success::vault(200, self.0.read(context, caller, &vault_id).await?, None);
        }
        let ListVaultsRequest { filter, after, limit } = ListVaultsRequest::parse(request, caller)?;
        let listed = self.0.run(context, caller, filter, after, limit).await?;
        let next_token = listed
            .more_after
            .map(|after| next_token::write(&caller.workspace_id, filter, &after));
        let vaults = listed.vaults.into_iter().map(|view| VaultResponse::new(view, None));
        Success::json(
            200,
            &ListVaultsResponse {
                vaults: vaults.collect(),
                next_token,
            },
        )
    }
}

impl ListVaultsRequest {
    fn parse(request: &ApiRequest, caller: &Caller) -> Result<Self, Problem> {
        let mut errors = FieldErrors::default();
        let mut parsed = Self {
            filter: VaultFilter::NONE,
            after: None,
            limit: DEFAULT_LIMIT,
        };
        let mut token = None;
        for (name, value) in request.query() {
            match name.as_str() {
                "limit" => match parse_limit(value) {
                    Some(limit) => parsed.limit = limit,
                    None => errors.note_parameter("limit", "must be a whole number from 1 to 100"),
                },
                "status" => match VaultStatus::parse(value) {
                    Some(status) => parsed.filter.status = Some(status),
                    None => errors.note_parameter("status", "must be active, decrypt_only or disabled"),
                },
                "health" => match HealthState::parse(value) {
                    Some(health) => parsed.filter.health = Some(health),
                    None => errors.note_parameter("health", "must be healthy, degraded, unusable or unknown"),
                },
                "next_token" => token = Some(value),
                other => note_unknown(&mut errors, other),
            }
        }
        // A token is bound to its filters, so it is checked only once they are valid.
        errors.into_result()?;
        let mut errors = FieldErrors::default();
        if let Some(token) = token {
            match next_token::read(token, &caller.workspace_id, parsed.filter) {
                Ok(after) => parsed.after = Some(after),
                Err(invalid) => errors.note_parameter("next_token", format!("must be {invalid}")),
            }
        }
        errors.into_result()?;
        Ok(parsed)
    }

    /// Reading one vault takes no parameters.
    fn refuse_parameters(request: &ApiRequest) -> Result<(), Problem> {
        let mut errors = FieldErrors::default();
        for name in request.query().keys() {
            note_unknown(&mut errors, name);
        }
        errors.into_result()
    }
}

fn parse_limit(text: &str) -> Option<usize> {
    let is_plain = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| is_plain)?;
    (1..=MAX_LIMIT).contains(&limit).then_some(limit)
}

/// Notes an unknown parameter. The error names it only if it has the form of a name, so that no other text of the
/// caller's is repeated.
fn note_unknown(errors: &mut FieldErrors, name: &str) {
    let is_name =
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = if is_name { name } else { "?" };
    errors.note_parameter(
        name,
        "unknown parameter; a list takes limit, next_token, status and health, one vault none",
    );
}
