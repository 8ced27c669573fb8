//! The ten endpoints on one service, and what a request costs each.

use core::time::Duration;
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;
use latchkey_core::data_keys::DataKeys;
use latchkey_core::data_keys::rotation::RotationLimits;
use latchkey_core::operations::{
    CreateVault, DecryptItem, DisableVault, EnableVault, EncryptItem, GetSetupKit, ListVaults, ReassignItem,
    SweepVaults, UpdateVault, ValidateVault,
};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, Region, RequestId, RoleArn, WorkspaceId};
use latchkey_http::endpoints::{
    CreateVaultEndpoint, DecryptItemEndpoint, DisableVaultEndpoint, EnableVaultEndpoint, EncryptItemEndpoint,
    GetSetupKitEndpoint, ListVaultsEndpoint, ReassignItemEndpoint, UpdateVaultEndpoint, ValidateVaultEndpoint,
};
use latchkey_http::event::{ClaimNames, RestClaimsPlace};
use latchkey_http::{Deployment, Endpoint, answer};
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RsaKeyPair};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::allocations::{ALLOCATED, PEAK, TOTAL};

/// What became of one request.
pub(crate) struct Cost {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) peak: usize,
    pub(crate) total: usize,
}

async fn cost_of<E: Endpoint>(endpoint: &E, payload: &RawValue) -> Cost {
    let claim_names = ClaimNames {
        workspace_id: "workspace_id".into(),
        role: "role".into(),
        subject: "sub".into(),
    };
    let deployment = Deployment {
        region: Region::UsEast2,
        stage: "production".into(),
        claim_names,
        rest_claims_place: RestClaimsPlace::default(),
    };
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
    let before = ALLOCATED.load(Relaxed);
    PEAK.store(before, Relaxed);
    TOTAL.store(0, Relaxed);
    let response = answer(endpoint, &deployment, &context, payload.to_owned(), io::sink()).await;
    Cost {
        peak: PEAK.load(Relaxed) - before,
        total: TOTAL.load(Relaxed),
        status: response.status_code,
        body: response.body.to_string(),
    }
}

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) records: InMemoryRecords,
    customer: InMemoryCustomer,
    clock: FakeClock,
}

impl Service {
    pub(crate) fn new() -> Self {
        let key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222").unwrap(),
            key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap(),
        };
        let role = RoleArn::parse("arn:aws:iam::222222222222:role/latchkey").unwrap();
        let workspace = WorkspaceId::parse("ws-acme-0001").unwrap();
        Self {
            records: InMemoryRecords::new(),
            customer: InMemoryCustomer::new(key, &RsaKeyPair::generate().unwrap(), role, workspace),
            clock: FakeClock::at(Timestamp::UNIX_EPOCH),
        }
    }

    fn data_keys(&self) -> DataKeys<InMemoryRecords, InMemoryCustomer, FakeClock> {
        let (store, keys, clock) = (self.records.clone(), self.customer.clone(), self.clock.clone());
        DataKeys::new(store, keys, clock, Region::UsEast2, RotationLimits::DEFAULT)
    }

    fn validate_vault(&self) -> ValidateVault<InMemoryRecords, InMemoryCustomer, FakeClock> {
        ValidateVault {
            store: self.records.clone(),
            customer_keys: self.customer.clone(),
            clock: self.clock.clone(),
            access_role: access_role(),
            home: Region::UsEast2,
        }
    }

    fn encrypt_item(&self) -> EncryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock> {
        EncryptItem {
            store: self.records.clone(),
            data_keys: self.data_keys(),
        }
    }

    fn decrypt_item(&self) -> DecryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock> {
        DecryptItem {
            store: self.records.clone(),
            data_keys: self.data_keys(),
        }
    }

    /// What a request costs each operation.
    pub(crate) async fn costs(&self, event: &Value) -> Vec<(&'static str, Cost)> {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        self.costs_of(&payload).await
    }

    pub(crate) async fn costs_of(&self, payload: &RawValue) -> Vec<(&'static str, Cost)> {
        let (store, clock) = (self.records.clone(), self.clock.clone());
        let create = CreateVaultEndpoint(CreateVault {
            store: store.clone(),
            customer_keys: self.customer.clone(),
            clock: clock.clone(),
            access_role: access_role(),
            managed_key: None,
            home: Region::UsEast2,
        });
        let validate = ValidateVaultEndpoint {
            operation: SweepVaults {
                validate_vault: self.validate_vault(),
                announcer: InMemoryEventBus::default(),
            },
            stage: "production".to_owned(),
        };
        let enable = EnableVaultEndpoint(EnableVault {
            validate_vault: self.validate_vault(),
        });
        let disable = DisableVaultEndpoint(DisableVault {
            store: store.clone(),
            clock: clock.clone(),
        });
        let update = UpdateVaultEndpoint(UpdateVault {
            store: store.clone(),
            clock,
        });
        let reassign = ReassignItemEndpoint(ReassignItem {
            decrypt: self.decrypt_item(),
            encrypt: self.encrypt_item(),
        });
        let kit = GetSetupKitEndpoint(GetSetupKit {
            access_role: access_role(),
            templates_url: None,
        });
        vec![
            ("create-vault", cost_of(&create, payload).await),
            ("validate-vault", cost_of(&validate, payload).await),
            ("enable-vault", cost_of(&enable, payload).await),
            ("disable-vault", cost_of(&disable, payload).await),
            ("update-vault", cost_of(&update, payload).await),
            (
                "list-vaults",
                cost_of(&ListVaultsEndpoint(ListVaults { store }), payload).await,
            ),
            (
                "encrypt-item",
                cost_of(&EncryptItemEndpoint(self.encrypt_item()), payload).await,
            ),
            (
                "decrypt-item",
                cost_of(&DecryptItemEndpoint(self.decrypt_item()), payload).await,
            ),
            ("reassign-item", cost_of(&reassign, payload).await),
            ("get-setup-kit", cost_of(&kit, payload).await),
        ]
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").unwrap()
}
