//! The clients: one for KMS and one for STS in each Region, one for DynamoDB and, where it is asked for, one for EventBridge
//! in our own, and one for Lambda in each. Made once per execution environment, with timeouts (`deadline_timeouts`) and retries that are ours and not the
//! SDK's defaults.
//!
//! Calls are retried here and nowhere above: with jitter, and on a budget. The SDK takes each retry from a bucket of tokens
//! that successes fill again, one bucket for each service and Region; when it is empty, nothing is retried.

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

/// The first pause is up to this long, the next up to twice as long, and so on; the SDK draws its length at random.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(500);
/// One retry: the other Region is the better second try.
const KEY_ATTEMPTS: u32 = 2;
/// Our own records, and our own event bus, have no other Region to turn to.
const OWN_ATTEMPTS: u32 = 3;

/// AWS, as one execution environment reaches it.
#[derive(Clone)]
pub struct Aws {
    vault_records: VaultRecords,
    customer_keys: KmsCustomerKeys,
    own_config: SdkConfig,
    event_bus_name: String,
    stage: String,
}

impl Aws {
    /// Makes the clients, with the credentials and endpoints of the environment (`AWS_ENDPOINT_URL` included). Calls
    /// nobody.
    pub async fn connect(settings: &Settings) -> Self {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(sdk_region(settings.region))
            .http_client(OneConnector::new())
            .load()
            .await;
        Self::from_sdk_config(&config, settings, Arc::new(SystemClock))
    }

    /// Makes the clients from `config`; its Region, timeouts and retries are replaced. Sessions age by `clock`.
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

    /// The event bus. Only one function has a use for it, so its client is made when it is asked for.
    pub fn event_bus(&self) -> EventBus {
        let config = aws_sdk_eventbridge::config::Builder::from(&self.own_config).interceptor(DeadlineTimeouts);
        EventBus::new(
            aws_sdk_eventbridge::Client::from_conf(config.build()),
            &self.event_bus_name,
        )
    }

    /// The deployment's functions in both Regions. Only the canary has a use for them.
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

/// Standard mode retries what is transient or throttled and nothing else: a refusal is never sent twice.
fn retries(max_attempts: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(max_attempts)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}
