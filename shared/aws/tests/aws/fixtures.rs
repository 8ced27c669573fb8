//! What every test needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use latchkey_aws::customer_keys::KmsCustomerKeys;
use latchkey_aws::{Aws, Settings};
use latchkey_core::customer::{AccessPurpose, CustomerAccess};
use latchkey_core::ports::{Clock, Moment, SystemClock};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{
    AwsAccountId, CustomerKey, CustomerPublicKey, KmsKeyId, Region, RequestId, RoleArn, Strategy, VaultId, WorkspaceId,
};

use crate::stand_in::StandIn;

pub(crate) const ACCESS_ROLE: &str = "arn:aws:iam::111111111111:role/production-kms-byo-key-access-role";
pub(crate) const CUSTOMER_ROLE: &str = "arn:aws:iam::222222222222:role/latchkey";
pub(crate) const KEY_ID: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";
pub(crate) const RSA_2048_DER: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApy/kf6N5qSih9qJGw/y3XxDjMKRGPtMBh/vacV5MKvJInvoKpIF7\
jhjAj9sfYJ96qd2izDn2WzzQknUDcwSeOLRanJ1y7SOfmDC0qsd1FSu4ohL6ORvX5JeAL/o15JA/EW2F8M5yvxn97V+uggd9XsQKR1uedaO+vcymqHJVJB/GyL3n\
CjlYTbSFaRU/z0bngfkKUJb3cHRx+Cw/AKyTblUviXz3tS1Qmc1e7aAVoIJIj+bFC2gYdZpPvtfTHrCB+wVTR4ER8pu3PSx6q1wn36XpnYbhASZo1Zvdne62l0M8\
f8B4l8H96zXYnOgr191MDWN9kGrniN4f6e8KZxG0XwIDAQAB";
pub(crate) const EC_P256_DER: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEA+Tx+Lo7pC0G/cRsAbHOuAuGR9GlvIB9eahszQ8OX7NQi8v8vjuiOm3+\
1N1Vg/8IdgaenhyPjdOzrJJMVQnJ1w==";

pub(crate) fn settings() -> Settings {
    Settings {
        region: Region::UsEast2,
        stage: "production".to_owned(),
        max_concurrency: 1,
        managed_key: None,
        event_bus_name: "production-latchkey".to_owned(),
        table_name: "production-latchkey".to_owned(),
        access_role_arn: RoleArn::parse(ACCESS_ROLE).expect("valid"),
        setup_kit_templates_url: None,
    }
}

pub(crate) fn customer_keys(aws: &StandIn) -> KmsCustomerKeys {
    customer_keys_by(aws, Arc::new(SystemClock))
}

pub(crate) fn customer_keys_by(aws: &StandIn, clock: Arc<dyn Clock>) -> KmsCustomerKeys {
    Aws::from_sdk_config(&aws.sdk_config(), &settings(), clock).customer_keys()
}

pub(crate) fn context() -> RequestContext {
    RequestContext::new(RequestId::generate(), Duration::from_secs(600))
}

pub(crate) fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).expect("valid")
}

pub(crate) fn customer_key() -> CustomerKey {
    CustomerKey {
        account_id: AwsAccountId::parse("222222222222").expect("valid"),
        key_id: KmsKeyId::parse(KEY_ID).expect("valid"),
    }
}

pub(crate) fn access(purpose: AccessPurpose) -> CustomerAccess {
    CustomerAccess {
        vault_id: VaultId::generate(),
        workspace_id: workspace("ws-acme"),
        role_arn: RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
        key: customer_key(),
        strategy: Strategy::AwsKms,
        purpose,
    }
}

pub(crate) fn public_key() -> CustomerPublicKey {
    let der = Base64::decode_vec(RSA_2048_DER).expect("base64");
    CustomerPublicKey::from_der(&der).expect("an RSA public key")
}

/// A clock that stands still until it is advanced.
pub(crate) struct StoppedClock(Mutex<Moment>);

impl StoppedClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SystemClock.now())))
    }

    pub(crate) fn move_on(&self, seconds: u64) {
        let mut now = self.0.lock().expect("not poisoned");
        now.monotonic = now.monotonic.checked_add(Duration::from_secs(seconds)).expect("fits");
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        *self.0.lock().expect("not poisoned")
    }
}
