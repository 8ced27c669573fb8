//! The four calls: what is sent, what the answer becomes, and what is recorded for the audit log.

use latchkey_core::customer::{AccessError, AccessPurpose, Outage, Refusal};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::values::{MultiRegionKeyType, Region};
use serde_json::{Value, json};

use crate::fixtures::{EC_P256_DER, KEY_ID, RSA_2048_DER, access, context, customer_keys, public_key};
use crate::stand_in::{Answer, StandIn, base64};

const REGION: Region = Region::UsWest2;
const ARN: &str = "arn:aws:kms:us-west-2:222222222222:key/mrk-1234abcd12ab34cd56ef1234567890ab";
const PRIMARY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-1234abcd12ab34cd56ef1234567890ab";

fn kms_answering(body: Value) -> StandIn {
    StandIn::answering(move |request| match request.operation.as_str() {
        "AssumeRole" => Answer::Success,
        _ => Answer::Json(body.clone()),
    })
}

#[tokio::test]
async fn decrypt_names_the_key_and_the_algorithm() {
    let aws = StandIn::in_order();
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::UnwrapDataKeys));
    let plaintext = keys
        .decrypt(&context, &access, REGION, b"wrapped")
        .await
        .expect("opens");
    assert_eq!(plaintext.as_slice(), b"wrapped");
    assert_eq!(
        aws.requests("Decrypt")[0].body,
        json!({"KeyId": ARN, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256", "CiphertextBlob": base64(b"wrapped")})
    );
}

#[tokio::test]
async fn encrypt_names_the_key_and_the_algorithm() {
    let aws = StandIn::in_order();
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::Validate));
    let ciphertext = keys
        .encrypt(&context, &access, REGION, b"challenge")
        .await
        .expect("encrypts");
    assert_eq!(ciphertext, b"challenge");
    assert_eq!(
        aws.requests("Encrypt")[0].body,
        json!({"KeyId": ARN, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256", "Plaintext": base64(b"challenge")})
    );
}

#[tokio::test]
async fn an_answer_under_another_key_is_not_taken() {
    let (context, access) = (context(), access(AccessPurpose::Validate));
    for key_id in [json!(PRIMARY_ARN), json!(KEY_ID), Value::Null] {
        let answer = json!({"KeyId": key_id, "Plaintext": "eA==", "CiphertextBlob": "eA==", "PublicKey": RSA_2048_DER,
            "KeyUsage": "ENCRYPT_DECRYPT", "KeyMetadata": {"KeyId": KEY_ID, "Arn": key_id, "KeyState": "Enabled",
            "KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}});
        let keys = customer_keys(&kms_answering(answer));
        let other_key = AccessError::Refused(Refusal::InvalidCiphertext);
        assert_eq!(
            keys.decrypt(&context, &access, REGION, b"x").await.map(drop),
            Err(other_key.clone())
        );
        assert_eq!(
            keys.encrypt(&context, &access, REGION, b"x").await.map(drop),
            Err(other_key.clone())
        );
        assert_eq!(
            keys.public_key(&context, &access, REGION).await.map(drop),
            Err(other_key.clone())
        );
        assert_eq!(
            keys.describe_key(&context, &access, REGION).await.map(drop),
            Err(other_key)
        );
    }
}

#[tokio::test]
async fn an_answer_with_nothing_in_it_is_an_outage() {
    let (context, access) = (context(), access(AccessPurpose::Validate));
    let keys = customer_keys(&kms_answering(json!({"KeyId": ARN, "KeyUsage": "ENCRYPT_DECRYPT"})));
    let nothing = AccessError::Outage(Outage::ServerError);
    assert_eq!(
        keys.decrypt(&context, &access, REGION, b"x").await.map(drop),
        Err(nothing.clone())
    );
    assert_eq!(
        keys.encrypt(&context, &access, REGION, b"x").await.map(drop),
        Err(nothing.clone())
    );
    assert_eq!(
        keys.public_key(&context, &access, REGION).await.map(drop),
        Err(nothing.clone())
    );
    assert_eq!(
        keys.describe_key(&context, &access, REGION).await.map(drop),
        Err(nothing)
    );
}

#[tokio::test]
async fn the_public_key_is_an_rsa_key_for_encryption_or_none() {
    let (context, access) = (context(), access(AccessPurpose::Validate));
    let key = customer_keys(&StandIn::in_order())
        .public_key(&context, &access, REGION)
        .await;
    assert_eq!(key, Ok(public_key()));
    for (usage, der) in [
        ("SIGN_VERIFY", RSA_2048_DER),
        ("KEY_AGREEMENT", EC_P256_DER),
        ("ENCRYPT_DECRYPT", EC_P256_DER),
        ("ENCRYPT_DECRYPT", "eA=="),
    ] {
        let aws = kms_answering(json!({"KeyId": ARN, "KeyUsage": usage, "PublicKey": der}));
        let answer = customer_keys(&aws).public_key(&context, &access, REGION).await;
        assert_eq!(answer, Err(AccessError::Refused(Refusal::InvalidKeyUsage)), "{usage}");
    }
}

#[tokio::test]
async fn a_description_tells_all_that_the_checks_look_at() {
    let aws = kms_answering(json!({"KeyMetadata": {
        "KeyId": KEY_ID, "Arn": ARN, "KeyState": "PendingDeletion", "DeletionDate": 1_795_000_000.5,
        "KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "EXTERNAL", "MultiRegion": true,
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": "REPLICA",
            "PrimaryKey": {"Arn": PRIMARY_ARN, "Region": "us-east-2"},
            "ReplicaKeys": [{"Arn": ARN, "Region": "us-west-2"}]
        }
    }}));
    let (context, access) = (context(), access(AccessPurpose::Validate));
    let key = customer_keys(&aws)
        .describe_key(&context, &access, REGION)
        .await
        .expect("described");
    assert_eq!((key.arn.as_str(), key.key_state.as_str()), (ARN, "PendingDeletion"));
    assert_eq!(
        (key.key_spec.as_str(), key.key_usage.as_str()),
        ("RSA_4096", "ENCRYPT_DECRYPT")
    );
    assert_eq!(
        (key.origin.as_str(), key.multi_region_key_type),
        ("EXTERNAL", Some(MultiRegionKeyType::Replica))
    );
    assert_eq!(
        (key.primary_key_arn.as_deref(), key.replica_key_arns),
        (Some(PRIMARY_ARN), vec![ARN.to_owned()])
    );
    assert_eq!(key.deletion_date.expect("a date").as_millisecond(), 1_795_000_000_500);

    let single = customer_keys(&StandIn::in_order())
        .describe_key(&context, &access, REGION)
        .await
        .expect("described");
    assert_eq!(
        (
            single.multi_region_key_type,
            single.primary_key_arn,
            single.deletion_date
        ),
        (None, None, None)
    );
}

#[tokio::test]
async fn every_call_is_noted_with_its_session_and_awss_id() {
    let aws = StandIn::in_order();
    let (keys, first, second, access) = (
        customer_keys(&aws),
        context(),
        context(),
        access(AccessPurpose::Validate),
    );
    keys.describe_key(&first, &access, REGION).await.expect("described");
    keys.decrypt(&second, &access, REGION, b"x").await.expect("opens");
    let session = format!("{}-{}", access.vault_id, first.request_id);
    let noted = |context: &latchkey_core::request::RequestContext| {
        let uses = context.key_uses();
        assert!(
            uses.iter()
                .all(|noted| noted.region == REGION && noted.role_session_name == session && noted.succeeded)
        );
        uses.into_iter()
            .map(|noted| (noted.action, noted.aws_request_id))
            .collect::<Vec<_>>()
    };
    let id = |number: u8| Some(format!("aws-request-{number}"));
    assert_eq!(noted(&first), [("sts:AssumeRole", id(1)), ("kms:DescribeKey", id(2))]);
    assert_eq!(
        noted(&second),
        [("kms:Decrypt", id(3))],
        "in the session that the first request entered"
    );
}
