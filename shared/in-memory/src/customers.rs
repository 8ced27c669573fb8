//! Many customers, each with an account of its own.

use std::collections::HashMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::customer::InMemoryCustomer;
use latchkey_core::customer::{AccessError, CustomerAccess, Refusal};
use latchkey_core::ports::{CustomerKeys, KeyDescription, RoleAttempt};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{CustomerKey, CustomerPublicKey, Region};

/// Customers by their keys.
#[derive(Clone, Debug)]
pub struct InMemoryCustomers(Arc<HashMap<CustomerKey, InMemoryCustomer>>);

impl InMemoryCustomers {
    /// The given customers. If two have the same key, the last one is kept.
    pub fn new(customers: impl IntoIterator<Item = InMemoryCustomer>) -> Self {
        let by_key = customers.into_iter().map(|customer| (customer.key.clone(), customer));
        Self(Arc::new(by_key.collect()))
    }

    fn of(&self, access: &CustomerAccess) -> Result<&InMemoryCustomer, AccessError> {
        let nobody = AccessError::Refused(Refusal::RoleNotAssumable);
        self.0.get(&access.key).ok_or(nobody)
    }
}

impl CustomerKeys for InMemoryCustomers {
    /// There is nothing to prepare.
    async fn prepare(&self, _: Region) {}

    async fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> Result<(), AccessError> {
        self.of(access)?.attempt_role(context, access, attempt, region).await
    }

    async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        self.of(access)?.describe_key(context, access, region).await
    }

    async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        self.of(access)?.public_key(context, access, region).await
    }

    async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        self.of(access)?.encrypt(context, access, region, plaintext).await
    }

    async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        self.of(access)?.decrypt(context, access, region, ciphertext).await
    }
}
