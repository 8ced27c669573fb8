//! The customer's role and key, on STS and KMS.
//!
//! A function enters the customer's role in two steps. Its own role assumes the service's access role, and the access
//! role assumes the customer's role. The second step passes the workspace's id as external id, and a session policy
//! that allows only the actions needed, and only on the vault's key. Both sessions are cached, and renewed before
//! they expire.

use std::sync::Arc;

use latchkey_core::customer::{AccessError, CustomerAccess};
use latchkey_core::ports::{Clock, CustomerKeys, KeyDescription, RoleAttempt};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{CustomerPublicKey, Region, RoleArn};
use zeroize::Zeroizing;

use crate::per_region::PerRegion;

mod assume_role;
mod breaker;
mod call;
mod errors;
mod kms;
mod kms_answers;
mod role_attempts;
mod role_entrance;
mod session_cache;
mod sessions;

use breaker::Breaker;
use kms::KmsCalls;
use role_entrance::RoleEntrance;
use sessions::CustomerSessions;

/// The customers' keys and roles. Cloning is cheap, and clones share their sessions.
#[derive(Clone)]
pub struct KmsCustomerKeys {
    entrance: Arc<RoleEntrance>,
    kms: Arc<KmsCalls>,
    breaker: Arc<Breaker>,
}

impl KmsCustomerKeys {
    pub(crate) fn new(
        kms: PerRegion<aws_sdk_kms::Client>,
        sts: PerRegion<aws_sdk_sts::Client>,
        access_role: RoleArn,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let entrance = Arc::new(RoleEntrance::new(sts, access_role, Arc::clone(&clock)));
        let breaker = Arc::new(Breaker::new(Arc::clone(&clock)));
        let sessions = CustomerSessions::new(Arc::clone(&entrance), clock);
        Self {
            entrance,
            kms: Arc::new(KmsCalls::new(kms, sessions)),
            breaker,
        }
    }
}

impl CustomerKeys for KmsCustomerKeys {
    async fn prepare(&self, region: Region) {
        self.entrance.enter_access_role_ahead(region).await;
    }

    async fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> Result<(), AccessError> {
        let knock = role_attempts::knock(&self.entrance, context, access, attempt, region);
        self.breaker.call(context, access, region, knock).await
    }

    async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        let call = self.kms.describe_key(context, access, region);
        self.breaker.call(context, access, region, call).await
    }

    async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        let call = self.kms.public_key(context, access, region);
        self.breaker.call(context, access, region, call).await
    }

    async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        let call = self.kms.encrypt(context, access, region, plaintext);
        self.breaker.call(context, access, region, call).await
    }

    async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        let call = self.kms.decrypt(context, access, region, ciphertext);
        self.breaker.call(context, access, region, call).await
    }
}
