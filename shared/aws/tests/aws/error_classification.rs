//! Which AWS errors are refusals, which are outages and which are our own fault: the documented errors, one by one, in
//! the form that they have on the wire.

use latchkey_core::customer::{AccessError, AccessPurpose, Outage, Refusal};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::values::Region;

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, access, context, customer_keys};
use crate::stand_in::{Answer, StandIn};

const ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-1234abcd12ab34cd56ef1234567890ab";

const fn refused(refusal: Refusal) -> AccessError {
    AccessError::Refused(refusal)
}

const fn outage(outage: Outage) -> AccessError {
    AccessError::Outage(outage)
}

/// The error that `operation` ends with when KMS answers with an error, and how often KMS was asked.
async fn kms_answers(
    operation: &'static str,
    status: u16,
    code: &'static str,
    message: &'static str,
) -> (AccessError, usize) {
    let aws = StandIn::answering(move |request| match request.operation == operation {
        true => Answer::Error(status, code, message),
        false => Answer::Success,
    });
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::Validate));
    let region = Region::UsEast2;
    let answer = match operation {
        "Decrypt" => keys.decrypt(&context, &access, region, b"x").await.map(drop),
        "Encrypt" => keys.encrypt(&context, &access, region, b"x").await.map(drop),
        "GetPublicKey" => keys.public_key(&context, &access, region).await.map(drop),
        _ => keys.describe_key(&context, &access, region).await.map(drop),
    };
    let uses = context.key_uses();
    let last = uses.last().expect("noted");
    assert_eq!(
        (last.action.strip_prefix("kms:"), last.succeeded),
        (Some(operation), false)
    );
    assert!(last.aws_request_id.is_some(), "an answer has an id");
    (answer.expect_err("an error"), aws.requests(operation).len())
}

#[tokio::test]
async fn refusals_of_kms_are_final_and_never_sent_twice() {
    let cases = [
        (400, "DisabledException", "arn is disabled.", Refusal::KeyDisabled),
        (
            400,
            "KMSInvalidStateException",
            "arn is pending deletion.",
            Refusal::KeyPendingDeletion,
        ),
        (
            400,
            "KMSInvalidStateException",
            "arn is pending replica deletion.",
            Refusal::KeyPendingDeletion,
        ),
        (
            400,
            "KMSInvalidStateException",
            "Key arn state is PendingDeletion",
            Refusal::KeyPendingDeletion,
        ),
        (
            400,
            "KMSInvalidStateException",
            "arn is disabled.",
            Refusal::KeyDisabled,
        ),
        (
            400,
            "KMSInvalidStateException",
            "arn is pending import.",
            Refusal::KeyInvalidState,
        ),
        (
            400,
            "KMSInvalidStateException",
            "arn is unavailable.",
            Refusal::KeyInvalidState,
        ),
        (400, "KMSInvalidStateException", "", Refusal::KeyInvalidState),
        (
            400,
            "NotFoundException",
            "Key 'arn' does not exist",
            Refusal::KeyNotFound,
        ),
        (
            400,
            "AccessDeniedException",
            "not authorized to perform: kms:Decrypt",
            Refusal::AccessDenied,
        ),
        (
            403,
            "AccessDeniedException",
            "not authorized to perform: kms:Decrypt",
            Refusal::AccessDenied,
        ),
        (403, "OptInRequired", "", Refusal::AccessDenied),
        (400, "InvalidKeyUsageException", "", Refusal::InvalidKeyUsage),
        (400, "UnsupportedOperationException", "", Refusal::InvalidKeyUsage),
        (
            400,
            "ValidationException",
            "Algorithm RSAES_OAEP_SHA_256 and key spec SYMMETRIC_DEFAULT",
            Refusal::InvalidKeyUsage,
        ),
        (400, "InvalidCiphertextException", "", Refusal::InvalidCiphertext),
        (400, "IncorrectKeyException", "", Refusal::InvalidCiphertext),
        (
            400,
            "com.amazonaws.kms#DisabledException",
            "arn is disabled.",
            Refusal::KeyDisabled,
        ),
    ];
    for (status, code, message, refusal) in cases {
        for operation in ["Decrypt", "Encrypt", "GetPublicKey"] {
            let answer = kms_answers(operation, status, code, message).await;
            assert_eq!(answer, (refused(refusal), 1), "{operation} {status} {code} {message}");
        }
    }
    for (status, code, message, refusal) in cases {
        if code != "ValidationException" {
            let answer = kms_answers("DescribeKey", status, code, message).await;
            assert_eq!(answer, (refused(refusal), 1), "DescribeKey {status} {code} {message}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn outages_of_kms_are_tried_once_more() {
    for (status, code, expected) in [
        (500, "KMSInternalException", Outage::ServerError),
        (500, "KeyUnavailableException", Outage::ServerError),
        (503, "DependencyTimeoutException", Outage::ServerError),
        (500, "InternalFailure", Outage::ServerError),
        (503, "ServiceUnavailable", Outage::ServerError),
        (502, "", Outage::ServerError),
        (400, "ThrottlingException", Outage::Throttled),
        (400, "Throttling", Outage::Throttled),
        (400, "RequestLimitExceeded", Outage::Throttled),
        (400, "LimitExceededException", Outage::Throttled),
        (429, "TooManyRequestsException", Outage::Throttled),
        (503, "SomethingNewException", Outage::ServerError),
    ] {
        let answer = kms_answers("Decrypt", status, code, "").await;
        assert_eq!(answer, (outage(expected), 2), "{status} {code}");
    }
}

#[tokio::test]
async fn an_answer_that_we_do_not_know_is_our_fault_and_never_an_outage() {
    for code in [
        "SomethingNewException",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "InvalidArnException",
    ] {
        let answer = kms_answers("Decrypt", 400, code, "").await;
        assert_eq!(answer, (AccessError::ServiceMisconfigured, 1), "{code}");
    }
    // A 429 still counts as throttling, but the SDK does not retry it with a code that it does not know.
    let throttled = kms_answers("Decrypt", 429, "SomethingNewException", "").await;
    assert_eq!(throttled, (outage(Outage::Throttled), 1));
    let described = kms_answers("DescribeKey", 400, "ValidationException", "").await;
    assert_eq!(described.0, AccessError::ServiceMisconfigured);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_an_outage() {
    for (status, body, expected) in [
        (200, "<html>", Outage::ServerError),
        (200, "{", Outage::ServerError),
        (403, "<html>blocked</html>", Outage::ServerError),
        (429, "<html>later</html>", Outage::Throttled),
        (500, "", Outage::ServerError),
    ] {
        let aws = StandIn::answering(move |request| match request.operation.as_str() {
            "Decrypt" => Answer::Raw(status, body),
            _ => Answer::Success,
        });
        let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
        let answer = keys.decrypt(&context(), &access, Region::UsEast2, b"x").await.map(drop);
        assert_eq!(answer, Err(outage(expected)), "{status} {body}");
    }
}

async fn sts_answers(role: &'static str, answer: Answer) -> AccessError {
    let aws = StandIn::answering(move |request| match request.text("RoleArn") == Some(role) {
        true => answer.clone(),
        false => Answer::Success,
    });
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let ended = keys.decrypt(&context(), &access, Region::UsEast2, b"x").await.map(drop);
    ended.expect_err("an error")
}

#[tokio::test(start_paused = true)]
async fn what_sts_says_of_the_customers_role() {
    for (status, code, expected) in [
        (403, "AccessDenied", refused(Refusal::RoleNotAssumable)),
        (400, "AccessDenied", refused(Refusal::RoleNotAssumable)),
        (404, "NoSuchEntity", refused(Refusal::RoleNotAssumable)),
        (400, "ValidationError", refused(Refusal::RoleNotAssumable)),
        (403, "RegionDisabledException", outage(Outage::Unreachable)),
        (400, "Throttling", outage(Outage::Throttled)),
        (503, "ServiceUnavailable", outage(Outage::ServerError)),
        (400, "PackedPolicyTooLarge", AccessError::ServiceMisconfigured),
        (400, "MalformedPolicyDocument", AccessError::ServiceMisconfigured),
        (403, "ExpiredToken", outage(Outage::ServerError)),
        (403, "SignatureDoesNotMatch", AccessError::ServiceMisconfigured),
    ] {
        let ended = sts_answers(CUSTOMER_ROLE, Answer::Error(status, code, "")).await;
        assert_eq!(ended, expected, "{status} {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_sts_says_of_our_own_role_is_never_the_customers_fault() {
    for (status, code, expected) in [
        (403, "AccessDenied", AccessError::ServiceMisconfigured),
        (403, "InvalidClientTokenId", AccessError::ServiceMisconfigured),
        (403, "ExpiredToken", AccessError::ServiceMisconfigured),
        (400, "ValidationError", AccessError::ServiceMisconfigured),
        (403, "RegionDisabledException", outage(Outage::Unreachable)),
        (400, "Throttling", outage(Outage::Throttled)),
        (500, "InternalFailure", outage(Outage::ServerError)),
    ] {
        let ended = sts_answers(ACCESS_ROLE, Answer::Error(status, code, "")).await;
        assert_eq!(ended, expected, "{status} {code}");
    }
}

#[tokio::test]
async fn no_text_of_aws_is_in_an_error() {
    let (error, _) = kms_answers("Decrypt", 400, "AccessDeniedException", ARN).await;
    assert!(!format!("{error} {error:?}").contains("222222222222"));
}
