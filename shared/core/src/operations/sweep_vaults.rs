//! The sweep: each minute, every vault that is due is claimed and checked, many at once (requirement H1).
//!
//! Both Regions sweep; a claim decides who checks a vault. What a sweep does not get to stays due for the next one.

use core::time::Duration;

use futures::future::join_all;
use futures::stream::{StreamExt, iter};
use jiff::Timestamp;

use super::ValidateVault;
use super::validate_vault::access_to;
use crate::error::Error;
use crate::health::due::DuePartition;
use crate::health::observation::Observation;
use crate::health::recording;
use crate::ports::{Clock, CustomerKeys, DueVault, DueVaults, StoreError, VaultStore};
use crate::request::RequestContext;
use crate::validation::{LightCheck, light_check};
use crate::vault::Vault;

/// How many vaults one sweep checks at the same time. A vault whose KMS hangs takes up one of these places, no more.
const CHECKS_AT_ONCE: usize = 64;
/// What one vault's check may take.
const TIME_OF_A_CHECK: Duration = Duration::from_secs(6);
/// How long a claim holds: longer than a function may run, so that only a dead sweeper's claim ever expires.
const TIME_OF_A_CLAIM: Duration = Duration::from_secs(60);
/// How many due vaults are read from the index at a time, for each partition.
const READ_AT_ONCE: usize = 500;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Vaults that were checked, and what was found is on record.
    pub checked: u32,
    /// How many of these had their whole validation.
    pub validated: u32,
    /// How many of these are in another state than before.
    pub changed: u32,
    /// Vaults whose check could not be finished or recorded. They are due again when the claim expires.
    pub failed: u32,
    /// Vaults that were left for the next sweep for want of time.
    pub left: u32,
}

/// What came of one due vault.
#[derive(Clone, Copy)]
enum Check {
    Done { whole: bool, changed: bool },
    ClaimedByAnother,
    Failed,
    Left,
}

impl<S: VaultStore + DueVaults, K: CustomerKeys, C: Clock> ValidateVault<S, K, C> {
    /// Checks the vaults of these partitions that are due, for as long as there is time to finish what is begun.
    ///
    /// # Errors
    /// The records' own trouble, when no partition of the index could be read.
    pub async fn sweep(&self, context: &RequestContext, partitions: &[DuePartition]) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        loop {
            let now = self.clock.now().wall;
            let (due, more) = self.due(partitions, now).await?;
            let claimed_before = swept.claimed();
            let checks = iter(due).map(|due| async move { self.check_claimed(context, &due).await });
            let mut checks = checks.buffer_unordered(CHECKS_AT_ONCE);
            while let Some(check) = checks.next().await {
                swept.count(check);
            }
            // The index follows the records a little later, so a round that claimed nothing has seen nothing new.
            if !more || swept.left > 0 || swept.claimed() == claimed_before {
                return Ok(swept);
            }
        }
    }

    /// What is due, the longest due first, and whether there may be more.
    async fn due(&self, partitions: &[DuePartition], now: Timestamp) -> Result<(Vec<DueVault>, bool), Error> {
        let reads = partitions
            .iter()
            .map(|partition| self.store.due_vaults(*partition, now, READ_AT_ONCE));
        let answers: Vec<Result<Vec<DueVault>, StoreError>> = join_all(reads).await;
        if !answers.is_empty() && answers.iter().all(Result::is_err) {
            return Err(Error::Unavailable);
        }
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        let more = answers.iter().any(|due| due.len() >= READ_AT_ONCE);
        let mut due: Vec<_> = answers.into_iter().flatten().collect();
        due.sort_by_key(|due| due.due_at);
        Ok((due, more))
    }

    async fn check_claimed(&self, context: &RequestContext, due: &DueVault) -> Check {
        // A check that is begun must have its time: it is never cut off by the end of the function.
        if context.time_left() < TIME_OF_A_CHECK.saturating_mul(2) {
            return Check::Left;
        }
        let now = self.clock.now().wall;
        let until = now.checked_add(TIME_OF_A_CLAIM).unwrap_or(Timestamp::MAX);
        match self.store.claim(due, until).await {
            Ok(Some(vault)) => {
                let check = tokio::time::timeout(TIME_OF_A_CHECK.saturating_mul(2), self.check(context, &vault));
                check.await.unwrap_or(Check::Failed)
            }
            Ok(None) => Check::ClaimedByAnother,
            Err(_) => Check::Failed,
        }
    }

    async fn check(&self, context: &RequestContext, vault: &Vault) -> Check {
        let context = RequestContext::new(context.request_id.clone(), TIME_OF_A_CHECK);
        let whole_is_due = vault.due.is_whole(self.clock.now().wall, &vault.health);
        let light = if whole_is_due {
            None
        } else {
            self.light(&context, vault).await
        };
        let whole = light.is_none();
        let observation = match light {
            Some(observation) => observation,
            None => self.validate(&context, vault).await.1,
        };
        match recording::record(&self.store, vault, &observation).await {
            Ok(health) => Check::Done {
                whole,
                changed: health.state != vault.health.state,
            },
            Err(_) => Check::Failed,
        }
    }

    /// The light check; `None` when it has seen something that the whole validation must explain.
    async fn light(&self, context: &RequestContext, vault: &Vault) -> Option<Observation> {
        let asked_at = self.clock.now().wall;
        let (access, access_role) = (access_to(vault), &self.access_role);
        match light_check(
            &self.customer_keys,
            context,
            &access,
            access_role,
            self.home,
            asked_at,
            vault,
        )
        .await
        {
            LightCheck::NothingNew => Some(Observation::of_light_check(Vec::new(), asked_at)),
            LightCheck::Unanswered(findings) => Some(Observation::of_light_check(findings, asked_at)),
            LightCheck::SomethingElse => None,
        }
    }
}

impl Swept {
    const fn claimed(&self) -> u32 {
        self.checked.saturating_add(self.failed)
    }

    fn count(&mut self, check: Check) {
        let add = |count: &mut u32, one: bool| *count = count.saturating_add(u32::from(one));
        match check {
            Check::Done { whole, changed } => {
                add(&mut self.checked, true);
                add(&mut self.validated, whole);
                add(&mut self.changed, changed);
            }
            Check::ClaimedByAnother => {}
            Check::Failed => add(&mut self.failed, true),
            Check::Left => add(&mut self.left, true),
        }
    }
}
