//! Attempts to enter the customer's role: as agreed, and in the three ways that must fail (requirement R2).
//!
//! Every attempt calls STS. It neither uses nor fills the cache of customer sessions.

use latchkey_core::customer::policies::powerless_session_policy;
use latchkey_core::customer::{AccessError, CustomerAccess, RoleSessionName};
use latchkey_core::ports::RoleAttempt;
use latchkey_core::request::RequestContext;
use latchkey_core::values::{Region, RequestId};

use super::assume_role::AssumeRoleTerms;
use super::role_entrance::RoleEntrance;
use super::sessions::agreed_terms;

pub(super) async fn knock(
    entrance: &RoleEntrance,
    context: &RequestContext,
    access: &CustomerAccess,
    attempt: RoleAttempt,
    region: Region,
) -> Result<(), AccessError> {
    let name = RoleSessionName::new(&access.vault_id, &context.request_id);
    let agreed = agreed_terms(access, &name);
    let wrong_external_id = wrong_external_id();
    let (external_id, from_access_role) = match attempt {
        RoleAttempt::AsAgreed => {
            return entrance
                .enter_from_access_role(context, region, &agreed)
                .await
                .map(drop);
        }
        RoleAttempt::WithoutExternalId => (None, true),
        RoleAttempt::WithWrongExternalId => (Some(wrong_external_id.as_str()), true),
        RoleAttempt::FromAnotherRole => (agreed.external_id, false),
    };
    let terms = AssumeRoleTerms {
        external_id,
        session_policy: Some(powerless_session_policy()),
        ..agreed
    };
    let entered = if from_access_role {
        entrance.enter_from_access_role(context, region, &terms).await
    } else {
        entrance.enter_from_own_role(context, region, &terms).await
    };
    entered.map(drop)
}

/// An external id that no workspace has. It differs at each attempt, so no trust policy can name it in advance.
fn wrong_external_id() -> String {
    format!("not-your-workspace-{}", RequestId::generate())
}
