//! `POST /v1/vaults`

use latchkey_core::caller::Caller;
use latchkey_core::customer::ManagedKey;
use latchkey_core::error::Cause;
use latchkey_core::operations::{CreateVault, CreateVaultCommand, Operation, Ports, Service};
use latchkey_core::ports::{Clock, CustomerKeys, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{AwsAccountId, CustomerKey, DataKeyCacheBound, KmsKeyId, RoleArn, Strategy, VaultName};
use latchkey_core::vault::VaultSettings;
use serde::Deserialize;

use crate::answers::{FieldErrors, Problem, Success};
use crate::endpoints::{Endpoint, json_body};
use crate::event::ApiRequest;

/// create-vault at the edge.
pub struct CreateVaultEndpoint<S, K, C>(pub CreateVault<S, K, C>);

impl<P: Ports> From<&Service<P>> for CreateVaultEndpoint<P::Store, P::CustomerKeys, P::Clock> {
    fn from(service: &Service<P>) -> Self {
        Self(service.create_vault())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateVaultRequest {
    name: String,
    strategy: String,
    #[serde(default)]
    aws_account_id: Option<String>,
    #[serde(default)]
    kms_key_id: Option<String>,
    #[serde(default)]
    aws_role_arn: Option<String>,
    #[serde(default)]
    set_as_default: bool,
    #[serde(default)]
    data_key_cache_seconds: Option<u64>,
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> Endpoint for CreateVaultEndpoint<S, K, C> {
    const OPERATION: Operation = Operation::CreateVault;

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        let command = json_body::parse::<CreateVaultRequest>(request.body())?
            .into_command(self.0.managed_key.as_ref(), &self.0.access_role)?;
        let (view, report) = self.0.run(context, caller, command).await?;
        Success::vault(201, view, Some(report))
    }
}

impl CreateVaultRequest {
    /// `access_role` is the service's. Nothing in the service's account is a customer's.
    fn into_command(
        self,
        managed_key: Option<&ManagedKey>,
        access_role: &RoleArn,
    ) -> Result<CreateVaultCommand, Problem> {
        let mut errors = FieldErrors::default();
        let name = errors.take("/name", VaultName::parse(&self.name));
        let data_key_cache = match self.data_key_cache_seconds {
            None => Some(DataKeyCacheBound::default()),
            Some(seconds) => errors.take("/data_key_cache_seconds", DataKeyCacheBound::from_seconds(seconds)),
        };
        let key = match self.strategy.as_str() {
            "aws_kms" => self.customers_key(access_role, &mut errors),
            "managed" if managed_key.is_some() => {
                self.name_no_key(&mut errors);
                managed_key.map(|managed| (Strategy::Managed, managed.key.clone(), managed.role_arn.clone()))
            }
            _ => {
                errors.note(
                    "/strategy",
                    if managed_key.is_some() {
                        "must be aws_kms or managed"
                    } else {
                        "must be aws_kms"
                    },
                );
                // Report what else is wrong, too.
                let names_a_key =
                    self.aws_account_id.is_some() || self.kms_key_id.is_some() || self.aws_role_arn.is_some();
                names_a_key
                    .then(|| self.customers_key(access_role, &mut errors))
                    .flatten()
            }
        };
        errors.into_result()?;
        match (name, key, data_key_cache) {
            (Some(name), Some((strategy, customer_key, aws_role_arn)), Some(data_key_cache)) => {
                Ok(CreateVaultCommand {
                    settings: VaultSettings {
                        name,
                        strategy,
                        customer_key,
                        aws_role_arn,
                        data_key_cache,
                    },
                    set_as_default: self.set_as_default,
                })
            }
            _ => Err(Problem::internal(Cause::StepSkipped)),
        }
    }

    /// The customer's key and role, from the three fields that name them.
    fn customers_key(
        &self,
        access_role: &RoleArn,
        errors: &mut FieldErrors,
    ) -> Option<(Strategy, CustomerKey, RoleArn)> {
        let mut required = |pointer, field: &Option<String>| {
            if field.is_none() {
                errors.note(pointer, "is required for the strategy aws_kms");
            }
            field.clone()
        };
        let account_id = required("/aws_account_id", &self.aws_account_id);
        let key_id = required("/kms_key_id", &self.kms_key_id);
        let role_arn = required("/aws_role_arn", &self.aws_role_arn);
        let account_id = account_id.and_then(|text| errors.take("/aws_account_id", AwsAccountId::parse(&text)));
        let role_arn = role_arn.and_then(|text| errors.take("/aws_role_arn", RoleArn::parse(&text)));
        let account_id = account_id?;
        if access_role.is_in(&account_id) {
            errors.note("/aws_account_id", "must be an account of your own, not the service's");
        }
        let key_id = key_id.and_then(|text| errors.take("/kms_key_id", KmsKeyId::parse_in_account(&text, &account_id)));
        let role_arn = role_arn?;
        if !role_arn.is_in(&account_id) {
            errors.note("/aws_role_arn", "must be a role in the account given as aws_account_id");
        }
        let customer_key = CustomerKey {
            account_id,
            key_id: key_id?,
        };
        Some((Strategy::AwsKms, customer_key, role_arn))
    }

    /// A request for a managed vault must name no key or role. If it does, that is a mistake that must not go
    /// unnoticed.
    fn name_no_key(&self, errors: &mut FieldErrors) {
        for (pointer, field) in [
            ("/aws_account_id", &self.aws_account_id),
            ("/kms_key_id", &self.kms_key_id),
            ("/aws_role_arn", &self.aws_role_arn),
        ] {
            if field.is_some() {
                errors.note(
                    pointer,
                    "must be absent for the strategy managed: the key is the service's own",
                );
            }
        }
    }
}
