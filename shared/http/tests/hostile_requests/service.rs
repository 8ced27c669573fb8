//! The ten endpoints on one service, and what a request costs each.

use core::time::Duration;
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use jiff::Timestamp;
use latchkey_core::operations::{self, GivenPorts, Operation, ServiceSettings};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, Region, RequestId, RoleArn, WorkspaceId};
use latchkey_http::Deployment;
use latchkey_http::event::{ClaimNames, RestClaimsPlace};
use latchkey_http::process::{AnyEndpoint, endpoint_of};
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

async fn cost_of(endpoint: &dyn AnyEndpoint, payload: &RawValue) -> Cost {
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
    let payload = payload.to_owned();
    let before = ALLOCATED.load(Relaxed);
    PEAK.store(before, Relaxed);
    TOTAL.store(0, Relaxed);
    let response = endpoint.answer(&deployment, &context, payload, &mut io::sink()).await;
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

    /// What a request costs each operation.
    pub(crate) async fn costs(&self, event: &Value) -> Vec<(&'static str, Cost)> {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        self.costs_of(&payload).await
    }

    pub(crate) async fn costs_of(&self, payload: &RawValue) -> Vec<(&'static str, Cost)> {
        let service = operations::Service {
            ports: GivenPorts {
                store: self.records.clone(),
                customer_keys: self.customer.clone(),
                clock: self.clock.clone(),
                announcer: InMemoryEventBus::default(),
            },
            settings: ServiceSettings::new(Region::UsEast2, access_role()),
        };
        let mut costs = Vec::new();
        // Of a function that serves two operations, the one that has its name.
        for operation in Operation::ALL
            .iter()
            .filter(|it| it.name() == it.description().function)
        {
            let endpoint = endpoint_of(*operation, &service);
            costs.push((operation.name(), cost_of(&*endpoint, payload).await));
        }
        costs
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").unwrap()
}
