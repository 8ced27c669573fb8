//! The checks of the customer's role: it lets us in as agreed, and lets in nobody else (requirement R2).

use futures::future::join4;

use crate::customer::{AccessError, CustomerAccess};
use crate::findings::{Check, CheckOutcome, remedies};
use crate::ports::{CustomerKeys, RoleAttempt};
use crate::request::RequestContext;
use crate::validation::patience::in_half_the_time_left;
use crate::values::{Region, RoleArn, Strategy};

pub(super) async fn check_role<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    access_role: &RoleArn,
    home: Region,
) -> Vec<CheckOutcome> {
    if access.strategy == Strategy::Managed {
        return check_own_role(customer_keys, context, access, home).await;
    }
    let attempt = |attempt| knock(customer_keys, context, access, attempt, home);
    let (as_agreed, without, wrong, other) = join4(
        attempt(RoleAttempt::AsAgreed),
        attempt(RoleAttempt::WithoutExternalId),
        attempt(RoleAttempt::WithWrongExternalId),
        attempt(RoleAttempt::FromAnotherRole),
    )
    .await;
    let lets_us_in = as_agreed.is_ok();
    let trust = remedies::replace_trust_policy(access, access_role);
    vec![
        role_assumable(as_agreed, access, &trust),
        must_refuse(
            Check::RoleRejectsMissingExternalId,
            without,
            lets_us_in,
            "The role does not let the service in without an external id.",
            "The role lets the service in without any external id, so another customer of the service could have its \
             requests served with your role (the confused deputy problem). No data is lost or locked. No new items are \
             taken until this is mended.",
            &trust,
        ),
        must_refuse(
            Check::RoleRejectsWrongExternalId,
            wrong,
            lets_us_in,
            "The role does not let the service in with an external id that is not yours.",
            "The role lets the service in with an external id that is not yours, so another customer of the service could \
             have its requests served with your role (the confused deputy problem). No data is lost or locked. No new \
             items are taken until this is mended.",
            &trust,
        ),
        only_service_role(other, lets_us_in, access_role, trust),
    ]
}

/// The managed key's role is our own, so it only has to let us in. The other checks keep a customer's role from serving
/// another customer.
async fn check_own_role<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    home: Region,
) -> Vec<CheckOutcome> {
    let lets_us_in = match knock(customer_keys, context, access, RoleAttempt::AsAgreed, home).await {
        Ok(()) => CheckOutcome::pass(
            Check::RoleAssumable,
            None,
            "The managed key's role lets the service in.",
        ),
        Err(AccessError::Refused(_)) => CheckOutcome::fail(
            Check::RoleAssumable,
            None,
            "The managed key's role does not let the service in, so items cannot be opened. They are locked, not lost: they \
             open again once the role lets the service in.",
            "Nothing to change on your side: the operators of the service have to mend its deployment.".to_owned(),
        ),
        Err(error) => CheckOutcome::unanswered(Check::RoleAssumable, None, &error),
    };
    let of_customers_only = [
        Check::RoleRejectsMissingExternalId,
        Check::RoleRejectsWrongExternalId,
        Check::RoleTrustsOnlyServiceRole,
    ];
    let skipped = of_customers_only
        .map(|check| CheckOutcome::skipped(check, None, "Not checked: the key and its role are the service's own."));
    core::iter::once(lets_us_in).chain(skipped).collect()
}

async fn knock<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    attempt: RoleAttempt,
    home: Region,
) -> Result<(), AccessError> {
    let knock_in = async |region| {
        in_half_the_time_left(context, customer_keys.attempt_role(context, access, attempt, region)).await
    };
    // IAM is global, so STS in either Region can answer for the role. An outage in one Region is no finding.
    match knock_in(home).await {
        Err(AccessError::Outage(_)) => knock_in(home.other()).await,
        answer => answer,
    }
}

fn role_assumable(answer: Result<(), AccessError>, access: &CustomerAccess, trust: &str) -> CheckOutcome {
    let check = Check::RoleAssumable;
    match answer {
        Ok(()) => CheckOutcome::pass(
            check,
            None,
            "The role lets the service in with the workspace's external id.",
        ),
        Err(AccessError::Refused(_)) => {
            CheckOutcome::fail(check, None, remedies::role_not_assumable(access), trust.to_owned())
        }
        Err(error) => CheckOutcome::unanswered(check, None, &error),
    }
}

fn must_refuse(
    check: Check,
    answer: Result<(), AccessError>,
    lets_us_in: bool,
    good: &str,
    bad: &str,
    trust: &str,
) -> CheckOutcome {
    match answer {
        Ok(()) => CheckOutcome::fail(check, None, bad, trust.to_owned()),
        Err(AccessError::Refused(_)) if lets_us_in => CheckOutcome::pass(check, None, good),
        Err(AccessError::Refused(_)) => not_let_in(check),
        Err(error) => CheckOutcome::unanswered(check, None, &error),
    }
}

fn only_service_role(
    answer: Result<(), AccessError>,
    lets_us_in: bool,
    access_role: &RoleArn,
    trust: String,
) -> CheckOutcome {
    let check = Check::RoleTrustsOnlyServiceRole;
    match answer {
        Ok(()) => CheckOutcome::warn(
            check,
            None,
            format!(
                "The role lets in another role of the service's account than the one that it should trust. Most likely its \
                 trust policy names the whole account ({}), which is the IAM console's default. Everything works, and no \
                 data is lost or locked.",
                access_role.account_root()
            ),
            trust,
        ),
        Err(AccessError::Refused(_)) if lets_us_in => CheckOutcome::pass(
            check,
            None,
            "The role does not let in another role of the service's account.",
        ),
        Err(AccessError::Refused(_)) => not_let_in(check),
        Err(error) => CheckOutcome::unanswered(check, None, &error),
    }
}

fn not_let_in(check: Check) -> CheckOutcome {
    CheckOutcome::skipped(
        check,
        None,
        "Not checked: the role lets nobody of the service in (see role_assumable).",
    )
}
