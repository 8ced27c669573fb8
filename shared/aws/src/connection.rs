//! The AWS clients, with our own timeouts (`deadline_timeouts`) and retries in place of the SDK's defaults.
//!
//! KMS and STS have one client in each Region. DynamoDB has one in our own Region. They are made once per execution
//! environment. EventBridge has one client in our own Region and Lambda one in each; these are made only on demand.
//!
//! Calls are retried here and nowhere above, with jitter and within a budget. The SDK has a bucket of tokens for each
//! service and Region. Retries take tokens from it, successes refill it, and when it is empty nothing is retried.

use core::time::Duration;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use latchkey_core::operations::Ports;
use latchkey_core::ports::{Clock, SystemClock};
use latchkey_core::values::Region;

use crate::customer_keys::KmsCustomerKeys;
use crate::deadline_timeouts::{self, DeadlineTimeouts};
use crate::deployed_functions::{self, LambdaFunctions};
use crate::event_bus::EventBus;
use crate::https::OneConnector;
use crate::per_region::PerRegion;
use crate::settings::Settings;
use crate::vault_records::VaultRecords;

/// The first pause takes up to this long, the next up to twice as long, and so on. The SDK picks a random length.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
/// One retry: the other Region is the better second try.
const KEY_ATTEMPTS: u32 = 2;
/// Two retries: our records and our event bus have no other Region to fall back on.
const OWN_ATTEMPTS: u32 = 3;

/// The AWS clients of one execution environment.
#[derive(Clone)]
pub struct Aws {
    vault_records: VaultRecords,
    customer_keys: KmsCustomerKeys,
    own_config: SdkConfig,
    event_bus_name: String,
    stage: String,
}

impl Aws {
    /// Makes the clients with the credentials and endpoints of the environment, `AWS_ENDPOINT_URL` included. Calls no
    /// service.
    pub async fn connect(settings: &Settings) -> Self {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(sdk_region(settings.region))
            .http_client(OneConnector::new())
            .load()
            .await;
        Self::from_sdk_config(&config, settings, Arc::new(SystemClock))
    }

    /// Makes the clients from `config`. Replaces its Region, timeouts and retries. `clock` tells how old sessions are.
    pub fn from_sdk_config(config: &SdkConfig, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        let kms = PerRegion::new(|region| {
            aws_sdk_kms::Client::from_conf(
                aws_sdk_kms::config::Builder::from(config)
                    .region(sdk_region(region))
                    .timeout_config(deadline_timeouts::longest())
                    .interceptor(DeadlineTimeouts)
                    .retry_config(retries(KEY_ATTEMPTS))
                    .build(),
            )
        });
        let sts = PerRegion::new(|region| {
            aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(config)
                    .region(sdk_region(region))
                    .timeout_config(deadline_timeouts::longest())
                    .interceptor(DeadlineTimeouts)
                    .retry_config(retries(KEY_ATTEMPTS))
                    .build(),
            )
        });
        let own_config = config
            .to_builder()
            .region(sdk_region(settings.region))
            .timeout_config(deadline_timeouts::longest())
            .retry_config(retries(OWN_ATTEMPTS))
            .build();
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::config::Builder::from(&own_config)
                .interceptor(DeadlineTimeouts)
                .build(),
        );
        Self {
            vault_records: VaultRecords::new(dynamodb, &settings.table_name),
            customer_keys: KmsCustomerKeys::new(kms, sts, settings.access_role_arn.clone(), clock),
            own_config,
            event_bus_name: settings.event_bus_name.clone(),
            stage: settings.stage.clone(),
        }
    }

    /// The vault and data key records.
    pub fn vault_records(&self) -> VaultRecords {
        self.vault_records.clone()
    }

    /// The event bus. Only one function uses it, so its client is made on demand.
    pub fn event_bus(&self) -> EventBus {
        let config = aws_sdk_eventbridge::config::Builder::from(&self.own_config).interceptor(DeadlineTimeouts);
        EventBus::new(
            aws_sdk_eventbridge::Client::from_conf(config.build()),
            &self.event_bus_name,
        )
    }

    /// The deployment's functions in both Regions. Only the canary uses them.
    pub fn deployed_functions(&self) -> LambdaFunctions {
        let clients = PerRegion::new(|region| {
            aws_sdk_lambda::Client::from_conf(
                aws_sdk_lambda::config::Builder::from(&self.own_config)
                    .region(sdk_region(region))
                    .timeout_config(deployed_functions::timeouts())
                    .retry_config(RetryConfig::disabled())
                    .build(),
            )
        });
        LambdaFunctions::new(clients, &self.stage)
    }

    /// The customers' keys and roles. All clones share their sessions.
    pub fn customer_keys(&self) -> KmsCustomerKeys {
        self.customer_keys.clone()
    }
}

impl Ports for Aws {
    type Store = VaultRecords;
    type CustomerKeys = KmsCustomerKeys;
    type Clock = SystemClock;
    type Announcer = EventBus;

    fn store(&self) -> VaultRecords {
        self.vault_records()
    }

    fn customer_keys(&self) -> KmsCustomerKeys {
        self.customer_keys()
    }

    fn clock(&self) -> SystemClock {
        SystemClock
    }

    fn announcer(&self) -> EventBus {
        self.event_bus()
    }
}

fn sdk_region(region: Region) -> aws_config::Region {
    aws_config::Region::from_static(region.code())
}

/// Standard mode retries only transient errors and throttling, so a refused call is never repeated.
fn retries(max_attempts: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(max_attempts)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}
