//! `POST /v1/vaults`

use latchkey_core::Invalid;
use latchkey_core::caller::Caller;
use latchkey_core::customer_role::RoleArn;
use latchkey_core::kms_key::{AwsAccountId, CustomerKey, KmsKeyId};
use latchkey_core::operations::{CreateVault, CreateVaultCommand};
use latchkey_core::ports::{Clock, CustomerKeys, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::vault::{DataKeyCacheBound, Strategy, VaultName, VaultSettings};
use serde::Deserialize;

use crate::event::ApiRequest;
use crate::json_body::{self, FieldErrors};
use crate::problem::Problem;
use crate::serve::{Endpoint, Success};

/// create-vault at the edge.
pub struct CreateVaultEndpoint<S, K, C>(pub CreateVault<S, K, C>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateVaultRequest {
    name: String,
    strategy: String,
    aws_account_id: String,
    kms_key_id: String,
    aws_role_arn: String,
    #[serde(default)]
    set_as_default: bool,
    #[serde(default)]
    data_key_cache_seconds: Option<u64>,
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> Endpoint for CreateVaultEndpoint<S, K, C> {
    const NAME: &'static str = "create-vault";

    async fn call(&self, context: &RequestContext, caller: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        caller.require_vault_admin()?;
        let command = json_body::parse::<CreateVaultRequest>(request.body())?.into_command()?;
        let (view, report) = self.0.run(context, caller, command).await?;
        Success::vault(201, view, Some(report))
    }
}

impl CreateVaultRequest {
    fn into_command(self) -> Result<CreateVaultCommand, Problem> {
        let mut errors = FieldErrors::default();
        let name = errors.take("/name", VaultName::parse(&self.name));
        let strategy = errors.take("/strategy", parse_strategy(&self.strategy));
        let account_id = errors.take("/aws_account_id", AwsAccountId::parse(&self.aws_account_id));
        let role_arn = errors.take("/aws_role_arn", RoleArn::parse(&self.aws_role_arn));
        let data_key_cache = match self.data_key_cache_seconds {
            None => Some(DataKeyCacheBound::default()),
            Some(seconds) => errors.take("/data_key_cache_seconds", DataKeyCacheBound::from_seconds(seconds)),
        };
        let key_id = account_id.as_ref().and_then(|account_id| {
            errors.take("/kms_key_id", KmsKeyId::parse_in_account(&self.kms_key_id, account_id))
        });
        if let (Some(role_arn), Some(account_id)) = (&role_arn, &account_id)
            && !role_arn.is_in(account_id)
        {
            errors.note("/aws_role_arn", "must be a role in the account given as aws_account_id");
        }
        errors.into_result()?;
        match (name, strategy, account_id, key_id, role_arn, data_key_cache) {
            (Some(name), Some(strategy), Some(account_id), Some(key_id), Some(aws_role_arn), Some(data_key_cache)) => {
                let customer_key = CustomerKey { account_id, key_id };
                let settings = VaultSettings {
                    name,
                    strategy,
                    customer_key,
                    aws_role_arn,
                    data_key_cache,
                };
                Ok(CreateVaultCommand {
                    settings,
                    set_as_default: self.set_as_default,
                })
            }
            _ => Err(Problem::internal()),
        }
    }
}

fn parse_strategy(text: &str) -> Result<Strategy, Invalid> {
    match text {
        "aws_kms" => Ok(Strategy::AwsKms),
        _ => Err(Invalid::expected("aws_kms")),
    }
}
