//! The sweep: once a minute it claims every vault that is due, checks many at once, and announces what has changed
//! (requirement H1).
//!
//! Both Regions sweep. A claim decides which of them checks a vault. A vault that a sweep does not reach stays due for
//! the next one.

use core::time::Duration;
use std::io;

use futures::stream::{StreamExt, iter};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{Instrument as _, error_span};

use crate::error::{Cause, Error, log_undone};
use crate::health::due::DuePartition;
use crate::health::observation::Observation;
use crate::health::{Health, HealthState};
use crate::operations::validate_vault::access_to;
use crate::operations::{Ports, Service, ValidateVault, health_record};
use crate::ports::{Announcer, Clock, CustomerKeys, DueVault, DueVaults, StoreError, VaultStore};
use crate::request::{KeyUse, RequestContext, time_limit};
use crate::validation::{LightCheck, light_check};
use crate::vault::Vault;
use crate::vault::announcement::Announcement;

/// How many vaults one sweep checks at the same time. A vault whose KMS hangs takes only one of these places.
const CHECKS_AT_ONCE: usize = 64;
/// How long one vault's check may take.
const TIME_OF_A_CHECK: Duration = Duration::from_secs(6);
/// How long a claim holds. It is longer than a function may run, so only the claim of a sweeper that died expires.
const TIME_OF_A_CLAIM: Duration = Duration::from_secs(60);
/// How many partitions of the index are read at the same time. All 256 at once would need as many connections, and on a
/// slow processor the last answers would come too late.
const READS_AT_ONCE: usize = 32;
/// How many due vaults are read from a partition at a time.
const VAULTS_OF_A_READ: usize = 25;

/// How long it may take to announce one vault's changes. The next sweep announces the rest.
const TIME_OF_ANNOUNCING: Duration = Duration::from_secs(3);

/// Checks the vaults that are due, and announces what has changed.
///
/// ```
/// # use latchkey_in_memory::{Example, KeyState};
/// # use latchkey_core::health::due::DuePartition;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, _) = Example::with_vault().await?;
/// let sweep_vaults = example.service().sweep_vaults();
/// example.customer.change_key(|key| key.state = KeyState::Disabled);
/// example.clock.advance(std::time::Duration::from_secs(60));
/// let swept = sweep_vaults.run(&example.request(), &DuePartition::of_shard(0, 1), &|_| Ok(())).await?;
/// assert_eq!((swept.checked, swept.changed), (1, 1));
/// # Ok(())
/// # }
/// ```
pub struct SweepVaults<S, K, C, A> {
    /// The checks.
    pub validate_vault: ValidateVault<S, K, C>,
    /// The event bus.
    pub announcer: A,
}

impl<P: Ports> Service<P> {
    /// sweep-vaults.
    pub fn sweep_vaults(&self) -> SweepVaults<P::Store, P::CustomerKeys, P::Clock, P::Announcer> {
        SweepVaults {
            validate_vault: self.validate_vault(),
            announcer: self.ports.announcer(),
        }
    }
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Vaults that were checked and have the result on record.
    pub checked: u32,
    /// How many of these had the whole validation.
    pub validated: u32,
    /// How many of these changed their health state.
    pub changed: u32,
    /// Vaults whose check could not be finished or recorded. They are due again when the claim expires.
    pub failed: u32,
    /// Vaults that were left for the next sweep because time ran out.
    pub left: u32,
    /// How many of the checked vaults are `degraded` now.
    pub degraded: u32,
    /// How many of the checked vaults are `unusable` now.
    pub unusable: u32,
    /// How many of the checked vaults are `unknown` now.
    pub unknown: u32,
    /// Announcements that the event bus took.
    pub announced: u32,
    /// Vaults with changes that are still to be announced, because the event bus did not take them.
    pub unannounced: u32,
    /// The longest time that a checked vault had been due.
    pub longest_wait: Duration,
}

/// One vault's check, for the audit log.
pub struct CheckedVault<'a> {
    /// The vault before the check.
    pub vault: &'a Vault,
    /// The result. `None` if the check could not be finished or recorded.
    pub outcome: Option<&'a VaultCheck>,
    /// The calls to the customer's key and role.
    pub key_uses: Vec<KeyUse>,
    /// How long the check took.
    pub took: Duration,
}

/// The result of a check that is on record.
pub struct VaultCheck {
    /// Whether it was the whole validation.
    pub whole: bool,
    /// The vault's health now.
    pub health: Health,
    /// What was announced.
    pub announced: Vec<Announcement>,
}

/// Writes the audit line of each checked vault.
pub type AuditCheck<'a> = &'a (dyn Fn(&CheckedVault<'_>) -> io::Result<()> + Sync);

/// The outcome for one due vault.
enum Check {
    Done {
        outcome: VaultCheck,
        changed: bool,
        waited: Duration,
    },
    ClaimedByAnother,
    Failed,
    Left,
}

impl<S: VaultStore + DueVaults, K: CustomerKeys, C: Clock, A: Announcer> SweepVaults<S, K, C, A> {
    /// Checks the vaults of these partitions that are due. A check begins only if there is time to finish it. Each
    /// check goes through `audit`. One that cannot be audited counts as failed.
    ///
    /// # Errors
    /// An error of the vault records, if no partition of the index could be read.
    pub async fn run(
        &self,
        context: &RequestContext,
        partitions: &[DuePartition],
        audit: AuditCheck<'_>,
    ) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        loop {
            let (due, more) = self.due(partitions, self.now()).await?;
            let claimed_before = swept.claimed();
            let checks = iter(due).map(|due| {
                let span = error_span!("check", operation = "check-vault", vault_id = due.vault_id.as_str());
                async move { self.check_claimed(context, &due, audit).await }.instrument(span)
            });
            let mut checks = checks.buffer_unordered(CHECKS_AT_ONCE);
            while let Some(check) = checks.next().await {
                swept.count(&check);
            }
            // The index lags a little behind the records, so a round that claimed nothing has seen nothing new.
            if !more || swept.left > 0 || swept.claimed() == claimed_before {
                return Ok(swept);
            }
        }
    }

    /// The vaults that are due, the longest due first, and whether there may be more.
    async fn due(&self, partitions: &[DuePartition], now: Timestamp) -> Result<(Vec<DueVault>, bool), Error> {
        let reads = partitions
            .iter()
            .copied()
            .map(|partition| self.store().due_vaults(partition, now, VAULTS_OF_A_READ));
        let reads = iter(reads).buffer_unordered(READS_AT_ONCE);
        let answers: Vec<Result<Vec<DueVault>, StoreError>> = reads.collect().await;
        let failed = answers.iter().filter_map(|answer| answer.as_ref().err());
        let (failures, first) = (failed.clone().count(), failed.copied().next());
        if let Some(error) = first.map(Error::from) {
            if failures == answers.len() {
                return Err(error);
            }
            log_undone!(&error, "partitions of the due index could not be read");
        }
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        let more = answers.iter().any(|due| due.len() >= VAULTS_OF_A_READ);
        let mut due: Vec<_> = answers.into_iter().flatten().collect();
        due.sort_by_key(|due| due.due_at);
        Ok((due, more))
    }

    async fn check_claimed(&self, context: &RequestContext, due: &DueVault, audit: AuditCheck<'_>) -> Check {
        // A check needs time to finish: the end of the function must never cut it off.
        if context.time_left() < TIME_OF_A_CHECK.saturating_mul(2) {
            return Check::Left;
        }
        let now = self.now();
        let until = now.checked_add(TIME_OF_A_CLAIM).unwrap_or(Timestamp::MAX);
        let vault = match self.store().claim(due, until).await {
            Ok(Some(vault)) => vault,
            Ok(None) => return Check::ClaimedByAnother,
            Err(error) => {
                log_undone!(&Error::from(error), "a vault that is due could not be claimed");
                return Check::Failed;
            }
        };
        // The claim may have been slow. A vault that is claimed but left is due again when the claim ends.
        if context.time_left() < TIME_OF_A_CHECK.saturating_mul(2) {
            return Check::Left;
        }
        let context = RequestContext::new(context.request_id.clone(), TIME_OF_A_CHECK);
        let started = Instant::now();
        let checked = time_limit::within(TIME_OF_A_CHECK.saturating_mul(2), self.check(&context, &vault)).await;
        let outcome = checked.unwrap_or(Err(Error::OutOfTime));
        if let Err(error) = &outcome {
            log_undone!(error, "a check could not be finished or recorded");
        }
        let outcome = outcome.ok();
        let audited = audit(&CheckedVault {
            vault: &vault,
            outcome: outcome.as_ref(),
            key_uses: context.key_uses(),
            took: started.elapsed(),
        });
        if audited.is_err() {
            Cause::AuditLineNotWritten.log(None);
        }
        match outcome {
            Some(outcome) if audited.is_ok() => Check::Done {
                changed: outcome.health.state != vault.health.state,
                waited: Duration::try_from(now.duration_since(due.due_at)).unwrap_or_default(),
                outcome,
            },
            _ => Check::Failed,
        }
    }

    async fn check(&self, context: &RequestContext, vault: &Vault) -> Result<VaultCheck, Error> {
        let whole_is_due = vault.due.is_whole(self.now(), &vault.health);
        let light = if whole_is_due {
            None
        } else {
            self.light(context, vault).await
        };
        let whole = light.is_none();
        let observation = match light {
            Some(observation) => observation,
            None => self.validate_vault.validate(context, vault).await.1,
        };
        let health = health_record::record(self.store(), vault, &observation).await?;
        let (health, announced) = self.announce(vault, health).await;
        Ok(VaultCheck {
            whole,
            health,
            announced,
        })
    }

    /// Announces what has not been announced yet. The claim keeps other sweepers from announcing it at the same time.
    /// What the event bus does not take stays on record for the next sweep.
    async fn announce(&self, vault: &Vault, health: Health) -> (Health, Vec<Announcement>) {
        let now = self.now();
        let due = Announcement::due(vault, &health, now);
        let due_count = due.len();
        let mut announced = Vec::new();
        let announcing = async {
            for announcement in due {
                if self.announcer.announce(&announcement).await.is_err() {
                    return;
                }
                announced.push(announcement);
            }
        };
        let in_time = time_limit::within(TIME_OF_ANNOUNCING, announcing).await;
        if in_time.is_err() || announced.len() < due_count {
            tracing::warn!(
                announcements = due_count.saturating_sub(announced.len()),
                "the event bus did not take every announcement"
            );
        }
        if announced.is_empty() {
            return (health, announced);
        }
        // If this fails, the next sweep announces the same again, under the same event id.
        let recorded = health_record::record_announced(self.store(), vault, &announced, now).await;
        let recorded = recorded.unwrap_or_else(|error| {
            log_undone!(&error, "it could not be recorded what was announced");
            health
        });
        (recorded, announced)
    }

    /// Runs the light check. `None` if it saw something that the whole validation must explain.
    async fn light(&self, context: &RequestContext, vault: &Vault) -> Option<Observation> {
        let asked_at = self.now();
        let ValidateVault {
            customer_keys,
            access_role,
            home,
            ..
        } = &self.validate_vault;
        let access = access_to(vault);
        match light_check(customer_keys, context, &access, access_role, *home, asked_at, vault).await {
            LightCheck::NothingNew => Some(Observation::of_light_check(Vec::new(), asked_at)),
            LightCheck::Unanswered(findings) => Some(Observation::of_light_check(findings, asked_at)),
            LightCheck::SomethingElse => None,
        }
    }

    const fn store(&self) -> &S {
        &self.validate_vault.store
    }

    fn now(&self) -> Timestamp {
        self.validate_vault.clock.now().wall
    }
}

impl Swept {
    const fn claimed(&self) -> u32 {
        self.checked.saturating_add(self.failed)
    }

    fn count(&mut self, check: &Check) {
        let add = |count: &mut u32, one: bool| *count = count.saturating_add(u32::from(one));
        match check {
            Check::Done {
                outcome,
                changed,
                waited,
            } => {
                add(&mut self.checked, true);
                add(&mut self.validated, outcome.whole);
                add(&mut self.changed, *changed);
                add(&mut self.degraded, outcome.health.state == HealthState::Degraded);
                add(&mut self.unusable, outcome.health.state == HealthState::Unusable);
                add(&mut self.unknown, outcome.health.state == HealthState::Unknown);
                let announced = u32::try_from(outcome.announced.len()).unwrap_or(u32::MAX);
                self.announced = self.announced.saturating_add(announced);
                add(&mut self.unannounced, !outcome.health.unannounced.is_empty());
                self.longest_wait = self.longest_wait.max(*waited);
            }
            Check::ClaimedByAnother => {}
            Check::Failed => add(&mut self.failed, true),
            Check::Left => add(&mut self.left, true),
        }
    }
}
