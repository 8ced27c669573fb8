//! The four calls to a customer's key. All customers share one client per Region, and each call uses the credentials
//! of a session in the customer's role. A client per customer would open a connection per customer.

use core::future::Future;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::{Builder, IdentityCache};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::EncryptionAlgorithmSpec;
use latchkey_core::customer::{AccessError, CustomerAccess, Refusal};
use latchkey_core::ports::KeyDescription;
use latchkey_core::request::RequestContext;
use latchkey_core::values::{CustomerPublicKey, Region};
use zeroize::Zeroizing;

use super::call::{Call, CallUnderWay};
use super::errors::CallFailure;
use super::kms_answers;
use super::sessions::CustomerSessions;
use crate::per_region::PerRegion;

const ALGORITHM: EncryptionAlgorithmSpec = EncryptionAlgorithmSpec::RsaesOaepSha256;

pub(super) struct KmsCalls {
    clients: PerRegion<Client>,
    sessions: CustomerSessions,
}

impl KmsCalls {
    pub(super) const fn new(clients: PerRegion<Client>, sessions: CustomerSessions) -> Self {
        Self { clients, sessions }
    }

    pub(super) async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        let arn = access.key.arn(region);
        let output = self
            .call(Call::DescribeKey, context, access, region, |client, credentials| {
                let operation = client.describe_key().key_id(arn.as_str());
                operation.customize().config_override(credentials).send()
            })
            .await?;
        kms_answers::description(output, &arn)
    }

    pub(super) async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        let arn = access.key.arn(region);
        let output = self
            .call(Call::GetPublicKey, context, access, region, |client, credentials| {
                let operation = client.get_public_key().key_id(arn.as_str());
                operation.customize().config_override(credentials).send()
            })
            .await?;
        kms_answers::public_key(output, &arn)
    }

    pub(super) async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        let arn = access.key.arn(region);
        let output = self
            .call(Call::Encrypt, context, access, region, |client, credentials| {
                let operation = client
                    .encrypt()
                    .key_id(arn.as_str())
                    .encryption_algorithm(ALGORITHM)
                    .plaintext(Blob::new(plaintext));
                operation.customize().config_override(credentials).send()
            })
            .await?;
        kms_answers::ciphertext(output, &arn)
    }

    pub(super) async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        let arn = access.key.arn(region);
        let output = self
            .call(Call::Decrypt, context, access, region, |client, credentials| {
                let operation = client
                    .decrypt()
                    .key_id(arn.as_str())
                    .encryption_algorithm(ALGORITHM)
                    .ciphertext_blob(Blob::new(ciphertext));
                operation.customize().config_override(credentials).send()
            })
            .await?;
        kms_answers::plaintext(output, &arn)
    }

    /// Makes a call in the cached session, and once more in a new one if KMS does not accept that session.
    async fn call<Output, Error, Answer>(
        &self,
        call: Call,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        send: impl Fn(&Client, Builder) -> Answer,
    ) -> Result<Output, AccessError>
    where
        Answer: Future<Output = Result<Output, SdkError<Error>>>,
        Output: RequestId,
        Error: ProvideErrorMetadata,
    {
        let mut last = CallFailure::SessionNotAccepted;
        for _ in 0..2_u8 {
            let session = self.sessions.session(context, access, region).await?;
            let credentials = Builder::default()
                .credentials_provider(session.credentials.clone())
                .identity_cache(IdentityCache::no_cache());
            let under_way = CallUnderWay::new(context, call, region, &session.session_name);
            let answer = Box::pin(send(self.clients.of(region), credentials)).await;
            under_way.answered(answer.request_id(), answer.is_ok());
            let failure = match answer {
                Ok(output) => return Ok(output),
                Err(error) => CallFailure::of(call, region, &error),
            };
            match failure {
                CallFailure::SessionNotAccepted | CallFailure::SessionExpired => {
                    self.sessions.forget(access, region, &session).await;
                    last = failure;
                }
                // If the role was recreated, or its older sessions were revoked, only a new session shows whether
                // access is still denied. This call returns the denial; the next one enters a new session.
                CallFailure::Refused(Refusal::AccessDenied) => {
                    self.sessions.forget(access, region, &session).await;
                    return Err(failure.into());
                }
                CallFailure::Refused(_) | CallFailure::Outage(_) | CallFailure::OurFault => return Err(failure.into()),
            }
        }
        Err(match last {
            // STS has just issued the session and KMS does not accept it: the account's decision, not an outage.
            CallFailure::SessionNotAccepted => AccessError::Refused(Refusal::AccessDenied),
            failure => failure.into(),
        })
    }
}
