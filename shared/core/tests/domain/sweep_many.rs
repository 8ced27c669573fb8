//! Many vaults at once: each is checked once, one that hangs delays no other, and what there is no time for stays due.

use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;

use futures::future::join;
use latchkey_core::customer::{AccessError, CustomerAccess, Outage};
use latchkey_core::health::due::DuePartition;
use latchkey_core::operations::{SweepVaults, Swept, ValidateVault};
use latchkey_core::ports::{CustomerKeys, KeyDescription, RoleAttempt, VaultStore};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{CustomerPublicKey, Region, RequestId, VaultId};
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RegionOutage};
use zeroize::Zeroizing;

use crate::fixtures::{ACCESS_ROLE, Service, request, role_arn, workspace};

/// A service with `count` vaults, all due.
async fn with_vaults(count: usize) -> Service {
    let (service, _) = Service::with_vault(30).await;
    let pattern = service.records.vaults(&workspace()).remove(0);
    for _ in 1..count {
        let mut vault = pattern.clone();
        vault.vault_id = VaultId::generate();
        assert!(service.records.insert_vault(&vault).await.unwrap());
    }
    service.clock.advance(Duration::from_secs(60));
    service
}

fn all() -> Vec<DuePartition> {
    DuePartition::of_shard(0, 1)
}

#[tokio::test]
async fn two_regions_that_sweep_at_once_check_each_vault_once() {
    const VAULTS: usize = 700;
    let service = with_vaults(VAULTS).await;
    let calls = service.customer.calls_of("kms:DescribeKey");
    let (one, other) = (service.sweep_vaults(), service.sweep_vaults());
    let (request_of_one, request_of_other) = (request(), request());
    let partitions = all();
    let (one, other) = join(
        one.run(&request_of_one, &partitions, &|_| Ok(())),
        other.run(&request_of_other, &partitions, &|_| Ok(())),
    )
    .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.checked as usize + other.checked as usize, VAULTS);
    assert!(one.checked > 0 && other.checked > 0, "they did race");
    assert_eq!(service.customer.calls_of("kms:DescribeKey") - calls, 2 * VAULTS);
}

/// More than one page in every partition.
#[tokio::test]
async fn a_sweep_goes_on_until_nothing_is_due() {
    const VAULTS: usize = 10_000;
    let service = with_vaults(VAULTS).await;
    // The findings do not matter here, and so many decryptions would take long.
    service.outage_everywhere(Some(RegionOutage::Fails(Outage::Unreachable)));
    let swept = service.sweep().await;
    assert_eq!((swept.checked as usize, swept.left, swept.failed), (VAULTS, 0, 0));
    assert!(service.records.calls_of("due_vaults") > all().len());
}

/// 32 of the 256 partitions are read at a time.
#[tokio::test(start_paused = true)]
async fn the_index_is_read_in_turns() {
    let service = Service::new();
    service.records.set_latency(Duration::from_millis(100), Duration::ZERO);
    let start = tokio::time::Instant::now();
    assert_eq!(service.sweep().await, Swept::default());
    assert_eq!(service.records.calls_of("due_vaults"), 256);
    let turns = start.elapsed().as_millis() / 100;
    assert_eq!(turns, 256 / 32);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_hangs_delays_no_other() {
    let service = with_vaults(300).await;
    service.customer.set_latency(Duration::from_millis(100));
    let hangs: BTreeSet<_> = service
        .records
        .vaults(&workspace())
        .into_iter()
        .map(|vault| vault.vault_id)
        .step_by(10)
        .collect();
    let validate_vault = ValidateVault {
        store: service.records.clone(),
        customer_keys: SomeHang {
            hangs: hangs.clone(),
            customer: service.customer.clone(),
        },
        clock: service.clock.clone(),
        access_role: role_arn(ACCESS_ROLE),
        home: Region::UsEast2,
    };
    let operation = SweepVaults {
        validate_vault,
        announcer: service.event_bus.clone(),
    };
    let start = tokio::time::Instant::now();
    let swept = sweep_within(&operation, Duration::from_secs(28)).await;
    assert_eq!((swept.checked, swept.failed, swept.left), (300, 0, 0));
    // 30 of the 64 places are taken while STS has 4.5 s to answer, in one Region and then in the other. Meanwhile the
    // other 34 do the rest.
    assert!(start.elapsed() < Duration::from_millis(5_500), "{:?}", start.elapsed());
    for vault in service.records.vaults(&workspace()) {
        let unanswered = u32::from(hangs.contains(&vault.vault_id));
        assert_eq!(vault.health.unanswered_in_a_row, unanswered);
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_time_for_stays_due_and_nothing_is_cut_off() {
    const VAULTS: u32 = 500;
    let service = with_vaults(VAULTS as usize).await;
    service.customer.set_outage(Region::UsEast2, Some(RegionOutage::Hangs));
    let (mut checked, mut sweeps) = (0, 0);
    while checked < VAULTS {
        let start = tokio::time::Instant::now();
        let swept = sweep_within(&service.sweep_vaults(), Duration::from_secs(20)).await;
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(swept.failed, 0, "what was begun was finished");
        assert!(swept.checked > 0);
        checked += swept.checked;
        assert_eq!(swept.left, VAULTS - checked, "what was not begun is still due");
        sweeps += 1;
    }
    assert!(sweeps > 1);
    let vaults = service.records.vaults(&workspace());
    assert!(
        vaults.iter().all(|vault| vault.health.unanswered_in_a_row == 1),
        "each once"
    );
}

async fn sweep_within<K: CustomerKeys>(
    operation: &SweepVaults<InMemoryRecords, K, FakeClock, InMemoryEventBus>,
    time: Duration,
) -> Swept {
    let request = RequestContext::new(RequestId::generate(), time);
    operation.run(&request, &all(), &|_| Ok(())).await.unwrap()
}

/// Customers, some with a KMS that never answers.
struct SomeHang {
    hangs: BTreeSet<VaultId>,
    customer: InMemoryCustomer,
}

impl SomeHang {
    async fn hang(&self, access: &CustomerAccess) {
        if self.hangs.contains(&access.vault_id) {
            pending().await
        }
    }
}

impl CustomerKeys for SomeHang {
    async fn prepare(&self, region: Region) {
        self.customer.prepare(region).await
    }

    async fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> Result<(), AccessError> {
        self.hang(access).await;
        self.customer.attempt_role(context, access, attempt, region).await
    }

    async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        self.hang(access).await;
        self.customer.describe_key(context, access, region).await
    }

    async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        self.hang(access).await;
        self.customer.public_key(context, access, region).await
    }

    async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        self.hang(access).await;
        self.customer.encrypt(context, access, region, plaintext).await
    }

    async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        self.hang(access).await;
        self.customer.decrypt(context, access, region, ciphertext).await
    }
}
