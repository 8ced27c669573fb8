//! Measures how many vaults one execution environment checks. It has 10,000 vaults on the ports in one process, and
//! each call takes as long as on AWS. Run it with `make bench-sweep`; docs/sweep-at-scale.md has the figures and their
//! consequences.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::missing_docs_in_private_items,
    reason = "a bench measures and prints"
)]

use std::fs;
use std::time::{Duration, Instant};

use latchkey_core::caller::{Caller, WorkspaceRole};
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::operations::{self, CreateVaultCommand, GivenPorts, ServiceSettings, Swept};
use latchkey_core::ports::{Clock, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{
    AwsAccountId, CustomerKey, DataKeyCacheBound, KmsKeyId, Region, RequestId, RoleArn, Strategy, VaultId, VaultName,
    WorkspaceId,
};
use latchkey_core::vault::VaultSettings;
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RsaKeyPair};

const VAULTS: u32 = 10_000;
/// The time that a function with a timeout of 28 s has.
const TIME_OF_A_SWEEP: Duration = Duration::from_millis(27_700);

// How long the calls take: assumed, on the careful side. us-east-2 and us-west-2 are about 50 ms apart. Each read and
// write of a table with strong multi-Region consistency goes to another Region and back.
const OWN_REGION: Duration = Duration::from_millis(15);
const OTHER_REGION: Duration = Duration::from_millis(65);
const READ_OF_RECORDS: Duration = Duration::from_millis(60);
const WRITE_OF_RECORDS: Duration = Duration::from_millis(100);

const ACTIONS: [&str; 5] = [
    "sts:AssumeRole",
    "kms:DescribeKey",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GetPublicKey",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("{VAULTS} vaults, one execution environment, one thread.\n");
    println!(
        "| check | vaults a second | vaults a sweep | memory for it | STS and KMS calls a check | calls to the records a check |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    runtime.block_on(measure("each minute", false));
    runtime.block_on(measure("whole", true));
}

async fn measure(name: &str, whole: bool) {
    let service = Service::with_vaults(whole).await;
    let before = (status("VmRSS:"), service.customer.calls(), service.records.calls());
    let by_action: Vec<_> = ACTIONS.map(|action| service.customer.calls_of(action)).into();
    let started = Instant::now();
    let (mut checked, mut sweeps) = (0, 0_u32);
    while checked < VAULTS {
        let swept = service.sweep().await;
        assert!(swept.checked > 0 && swept.failed == 0, "{swept:?}");
        checked += swept.checked;
        sweeps += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let memory = status("VmHWM:").saturating_sub(before.0) / 1024;
    let per_check = |calls: usize| f64::from(u32::try_from(calls).unwrap()) / f64::from(VAULTS);
    let calls: Vec<String> = ACTIONS
        .iter()
        .zip(by_action)
        .map(|(action, before)| (action, per_check(service.customer.calls_of(action) - before)))
        .filter(|(_, calls)| *calls > 0.0)
        .map(|(action, calls)| format!("{calls:.1} {action}"))
        .collect();
    println!(
        "| {name} | {:.0} | {:.0} | {memory} MB | {:.1}: {} | {:.1} |",
        f64::from(checked) / seconds,
        f64::from(checked) / f64::from(sweeps),
        per_check(service.customer.calls() - before.1),
        calls.join(", "),
        per_check(service.records.calls() - before.2),
    );
}

/// A value of the process's status, in KiB.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

struct Service {
    records: InMemoryRecords,
    customer: InMemoryCustomer,
    clock: FakeClock,
}

impl Service {
    /// A service with vaults that are due for the check of each minute or, if `whole`, for the whole validation.
    async fn with_vaults(whole: bool) -> Self {
        let key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222").unwrap(),
            key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap(),
        };
        let role = RoleArn::parse("arn:aws:iam::222222222222:role/latchkey-key-access").unwrap();
        let workspace_id = WorkspaceId::parse("ws-acme").unwrap();
        let key_pair = RsaKeyPair::generate().unwrap();
        let service = Self {
            records: InMemoryRecords::new(),
            customer: InMemoryCustomer::new(key.clone(), &key_pair, role.clone(), workspace_id.clone()),
            clock: FakeClock::at("2026-11-23T10:00:00Z".parse().unwrap()),
        };
        let caller = Caller {
            workspace_id: workspace_id.clone(),
            role: WorkspaceRole::Admin,
            subject: "bench".to_owned(),
        };
        let settings = VaultSettings {
            name: VaultName::parse("Acme").unwrap(),
            strategy: Strategy::AwsKms,
            customer_key: key,
            aws_role_arn: role,
            data_key_cache: DataKeyCacheBound::default(),
        };
        let command = CreateVaultCommand {
            settings,
            set_as_default: false,
        };
        let create_vault = service.operations().create_vault();
        let (view, _) = create_vault.run(&request(), &caller, command).await.unwrap();
        service.clock.advance(Duration::from_secs(60));
        let now = service.clock.now().wall;
        let mut pattern = view.vault;
        if whole {
            pattern.due = Due::at_once(now);
        }
        for _ in 1..VAULTS {
            pattern.vault_id = VaultId::generate();
            assert!(service.records.insert_vault(&pattern).await.unwrap());
        }
        service.customer.set_latency_of(Region::UsEast2, OWN_REGION);
        service.customer.set_latency_of(Region::UsWest2, OTHER_REGION);
        service.records.set_latency(READ_OF_RECORDS, WRITE_OF_RECORDS);
        service
    }

    fn operations(
        &self,
    ) -> operations::Service<GivenPorts<InMemoryRecords, InMemoryCustomer, FakeClock, InMemoryEventBus>> {
        operations::Service {
            ports: GivenPorts {
                store: self.records.clone(),
                customer_keys: self.customer.clone(),
                clock: self.clock.clone(),
                announcer: InMemoryEventBus::default(),
            },
            settings: ServiceSettings::new(Region::UsEast2, access_role()),
        }
    }

    async fn sweep(&self) -> Swept {
        let sweep_vaults = self.operations().sweep_vaults();
        let partitions = DuePartition::of_shard(0, 1);
        sweep_vaults.run(&request(), &partitions, &|_| Ok(())).await.unwrap()
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").unwrap()
}

fn request() -> RequestContext {
    RequestContext::new(RequestId::generate(), TIME_OF_A_SWEEP)
}
