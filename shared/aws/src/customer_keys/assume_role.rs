//! One call to sts:AssumeRole.

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::IdentityCache;
use aws_sdk_sts::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use latchkey_core::customer::Outage;
use latchkey_core::values::{Region, RoleArn};
use serde_json::Value;

use super::call::Call;
use super::errors::CallFailure;
use super::session_cache::SESSION_SECONDS;
use crate::error_code::loggable;

/// Which role to enter, and how.
pub(super) struct AssumeRoleTerms<'a> {
    pub(super) role_arn: &'a RoleArn,
    pub(super) session_name: &'a str,
    pub(super) external_id: Option<&'a str>,
    /// Limits the session to what this policy allows. With `None`, the session has all of the role's permissions.
    pub(super) session_policy: Option<Value>,
}

/// STS's answer, with the id that STS gave the call.
pub(super) struct AssumeRoleAnswer {
    pub(super) credentials: Result<Credentials, CallFailure>,
    pub(super) aws_request_id: Option<String>,
    /// STS's error code, if it has the form of one.
    pub(super) error_code: Option<String>,
}

/// Enters a role with `credentials`. With `None`, it uses the function's own credentials.
pub(super) async fn assume_role(
    sts: &Client,
    region: Region,
    terms: &AssumeRoleTerms<'_>,
    credentials: Option<&Credentials>,
) -> AssumeRoleAnswer {
    let mut operation = sts
        .assume_role()
        .role_arn(terms.role_arn.as_str())
        .role_session_name(terms.session_name)
        .set_external_id(terms.external_id.map(str::to_owned))
        .set_policy(terms.session_policy.as_ref().map(Value::to_string))
        .duration_seconds(SESSION_SECONDS)
        .customize();
    if let Some(credentials) = credentials {
        operation = operation.config_override(
            aws_sdk_sts::config::Builder::default()
                .credentials_provider(credentials.clone())
                .identity_cache(IdentityCache::no_cache()),
        );
    }
    let answer = Box::pin(operation.send()).await;
    AssumeRoleAnswer {
        aws_request_id: answer.request_id().map(str::to_owned),
        error_code: answer
            .as_ref()
            .err()
            .and_then(|error| error.code())
            .map(|code| loggable(code).to_owned()),
        credentials: credentials_of(region, answer),
    }
}

fn credentials_of(
    region: Region,
    answer: Result<AssumeRoleOutput, SdkError<AssumeRoleError>>,
) -> Result<Credentials, CallFailure> {
    let output = answer.map_err(|error| CallFailure::of(Call::AssumeRole, region, &error))?;
    let issued = output.credentials.ok_or(CallFailure::Outage(Outage::ServerError))?;
    // No expiry: our own clock decides when to renew.
    Ok(Credentials::new(
        issued.access_key_id,
        issued.secret_access_key,
        Some(issued.session_token),
        None,
        "sts:AssumeRole",
    ))
}
