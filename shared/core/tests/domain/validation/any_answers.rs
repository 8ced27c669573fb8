//! Any answers of STS and KMS, however they contradict each other.

use latchkey_core::customer::policies::KEY_ACTIONS;
use latchkey_core::customer::{AccessError, Outage, Refusal};
use latchkey_core::findings::Verdict::Fail;
use latchkey_core::values::Region;
use proptest::prelude::*;

use super::{assert_tells, in_order, report_of};
use crate::fixtures::{KEY_PAIR, Service};

fn any_error() -> impl Strategy<Value = AccessError> {
    use Outage::*;
    use Refusal::*;
    let refusal = prop::sample::select(vec![
        RoleNotAssumable,
        AccessDenied,
        KeyDisabled,
        KeyPendingDeletion,
        KeyNotFound,
        KeyInvalidState,
        InvalidKeyUsage,
        InvalidCiphertext,
    ]);
    let outage = prop::sample::select(vec![Unreachable, TimedOut, ServerError, Throttled]);
    prop_oneof![
        refusal.prop_map(AccessError::Refused),
        outage.prop_map(AccessError::Outage),
        Just(AccessError::ServiceMisconfigured),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever KMS answers, a call that did not work fails the report. It fails for want of answers exactly when no
    /// call was refused.
    #[test]
    fn no_call_that_did_not_work_passes_unseen(
        errors in prop::collection::btree_map(
            (prop::sample::select(KEY_ACTIONS.to_vec()), prop::sample::select(Region::ALL.to_vec())),
            any_error(),
            1..4,
        ),
    ) {
        let customer = Service::new().customer;
        for ((action, region), error) in &errors {
            customer.answer_with(*region, action, error.clone());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let report = runtime.block_on(report_of(&customer, Some(KEY_PAIR.public_key())));
        prop_assert_eq!(report.verdict, Fail);
        prop_assert!(in_order().eq(report.checks.iter().map(|outcome| (outcome.check, outcome.region))));
        report.checks.iter().for_each(assert_tells);
        let was_asked = |action: &str, region| customer.calls_in(region, action) > 0;
        let refused = errors.iter().any(|((action, region), error)| {
            matches!(error, AccessError::Refused(_)) && was_asked(action, *region)
        });
        prop_assert_eq!(report.failed_for_want_of_answers(), !refused);
    }
}
