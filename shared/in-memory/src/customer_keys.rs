//! What STS and KMS answer for a customer. The checks have their order: an outage first, then the role, then policies,
//! then the key.

use core::future::pending;

use tokio::task::yield_now;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::customer::{InMemoryCustomer, RegionOutage, State};
use super::customer_key::RegionalKey;
use super::latency::Latency;
use latchkey_core::customer::{AccessError, CustomerAccess, Refusal, RoleSessionName};
use latchkey_core::ports::{CustomerKeys, KeyDescription, RoleAttempt};
use latchkey_core::request::{KeyUse, RequestContext};
use latchkey_core::values::{CustomerPublicKey, Region, RequestId};

impl CustomerKeys for InMemoryCustomer {
    /// There is nothing to prepare, but in a Region that hangs this hangs too.
    async fn prepare(&self, region: Region) {
        if self.with_state(|state| matches!(state.outages.get(&region), Some(RegionOutage::Hangs))) {
            pending().await
        }
    }

    async fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> Result<(), AccessError> {
        self.call(context, access, region, "sts:AssumeRole", |state| {
            state.role.answer(access, attempt)
        })
        .await
    }

    async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        self.call_key(context, access, region, "kms:DescribeKey", |key| {
            key.describe(&self.key, region)
        })
        .await
    }

    async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        self.call_key(context, access, region, "kms:GetPublicKey", |key| {
            key.usable()?;
            Ok(key.key_pair.public_key().clone())
        })
        .await
    }

    async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        self.call_key(context, access, region, "kms:Encrypt", |key| {
            key.usable()?;
            let wrapping_key = key.key_pair.public_key().wrapping_key();
            wrapping_key
                .encrypt_oaep_sha256(plaintext)
                .map_err(|_| Refusal::InvalidKeyUsage)
        })
        .await
    }

    async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        self.call_key(context, access, region, "kms:Decrypt", |key| {
            key.usable()?;
            key.key_pair.decrypt(ciphertext).map_err(|_| Refusal::InvalidCiphertext)
        })
        .await
    }
}

impl InMemoryCustomer {
    /// Makes a call to KMS in a session of the customer's role. The session allows what the purpose of `access` needs.
    async fn call_key<T>(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        action: &'static str,
        use_key: impl FnOnce(&RegionalKey) -> Result<T, Refusal> + Send,
    ) -> Result<T, AccessError> {
        self.call(context, access, region, action, |state| {
            state.role.answer(access, RoleAttempt::AsAgreed)?;
            let key = state
                .keys
                .get(&region)
                .filter(|_| access.key == self.key)
                .ok_or(AccessError::Refused(Refusal::KeyNotFound))?;
            if !access.purpose.actions().contains(&action) || !key.allowed.contains(action) {
                return Err(AccessError::Refused(Refusal::AccessDenied));
            }
            use_key(key).map_err(AccessError::Refused)
        })
        .await
    }

    /// Makes a call to AWS. Other tasks get their turn before it is answered.
    async fn call<T>(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        action: &'static str,
        answer: impl FnOnce(&mut State) -> Result<T, AccessError> + Send,
    ) -> Result<T, AccessError> {
        let (latency, outage) = self.with_state(|state| {
            state.calls.note((action, region));
            (
                state.latency.get(&region).map(Latency::next),
                state.outages.get(&region).copied(),
            )
        });
        yield_now().await;
        if let Some(latency) = latency {
            sleep(latency).await;
        }
        let answer = match outage {
            Some(RegionOutage::Hangs) => pending().await,
            Some(RegionOutage::Fails(outage)) => Err(AccessError::Outage(outage)),
            None => self.with_state(|state| {
                if state.service_misconfigured {
                    return Err(AccessError::ServiceMisconfigured);
                }
                match state.answers.get(&(action, region)) {
                    Some(error) => Err(error.clone()),
                    None => answer(state),
                }
            }),
        };
        let answered = !matches!(answer, Err(AccessError::Outage(_)));
        context.record_key_use(KeyUse {
            action,
            region,
            aws_request_id: answered.then(|| RequestId::generate().to_string()),
            role_session_name: RoleSessionName::new(&access.vault_id, &context.request_id)
                .as_str()
                .to_owned(),
            succeeded: answer.is_ok(),
        });
        answer
    }
}
