//! Whom we do not ask for a while: a vault's key in a Region where it gave no answer, and a Region where more than one
//! vault's key gave none.
//!
//! Without it every request would wait for the same silence. With it a dead Region costs the first requests their time, and
//! then one call in five seconds a second of its. What validates asks all the same, for a second: nothing is said of a key that
//! was not asked.
//!
//! Only silence counts. An error, however often, is an answer and costs no time. And one vault's silence is no sign of a
//! dead Region: one slow customer must not move all others over to the other Region.

use core::future::Future;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::customer::{AccessError, AccessPurpose, CustomerAccess, Outage, PAUSE_AFTER_SILENCE};
use latchkey_core::ports::{Clock, Moment};
use latchkey_core::request::{RequestContext, time_limit};
use latchkey_core::values::{Region, RequestId, VaultId};
use tokio::time::Instant; // the clock of the timeouts

/// What the call that tries again may take. KMS answers within a tenth of it.
const PATIENCE_OF_A_TRIAL: Duration = Duration::from_secs(1);
/// How many vaults' keys are silent where the Region is.
const SILENT_VAULTS_OF_A_DEAD_REGION: usize = 2;

/// The silences of one execution environment.
pub(super) struct Breaker {
    clock: Arc<dyn Clock>,
    silent: Mutex<Silent>,
}

/// Who was silent.
#[derive(Default)]
struct Silent {
    vaults: HashMap<(Region, VaultId), Silence>,
    regions: HashMap<Region, Silence>,
}

/// Since when, and who has tried again then. What a request asks about one vault is one trial, however many its calls.
struct Silence {
    since: Moment,
    tried_by: Option<(RequestId, VaultId)>,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Free,
    Trial,
    No,
}

impl Breaker {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            silent: Mutex::default(),
        }
    }

    /// Makes a call about a vault's key in a Region within the request's time, unless that was silent a moment ago. What
    /// validates is made then too, but briefly.
    pub(super) async fn call<T>(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        call: impl Future<Output = Result<T, AccessError>>,
    ) -> Result<T, AccessError> {
        let vault_id = &access.vault_id;
        let patience = match (self.pass(&context.request_id, vault_id, region), access.purpose) {
            (Pass::Free, _) => context.time_left(),
            (Pass::Trial, _) | (Pass::No, AccessPurpose::Validate) => context.time_left().min(PATIENCE_OF_A_TRIAL),
            (Pass::No, AccessPurpose::UnwrapDataKeys) => return Err(AccessError::Outage(Outage::Unreachable)),
        };
        let mut under_way = UnderWay {
            breaker: self,
            vault_id,
            region,
            asked_at: Instant::now(),
            answered: false,
        };
        let answer = time_limit::within(patience, call).await;
        let answer = answer.unwrap_or(Err(AccessError::Outage(Outage::TimedOut)));
        under_way.answered = !matches!(answer, Err(AccessError::Outage(Outage::TimedOut | Outage::Unreachable)));
        answer
    }

    fn pass(&self, request_id: &RequestId, vault_id: &VaultId, region: Region) -> Pass {
        let mut silent = self.silent();
        let now = self.clock.now();
        let Silent { vaults, regions } = &mut *silent;
        let of_vault = vaults.get_mut(&(region, vault_id.clone()));
        let mut found: Vec<_> = of_vault.into_iter().chain(regions.get_mut(&region)).collect();
        if found.is_empty() {
            return Pass::Free;
        }
        let trial = Some((request_id.clone(), vault_id.clone()));
        let is_left_alone = |it: &&mut Silence| now.since(&it.since) < PAUSE_AFTER_SILENCE && it.tried_by != trial;
        if found.iter().any(is_left_alone) {
            return Pass::No;
        }
        for it in found.iter_mut().filter(|it| it.tried_by != trial) {
            **it = Silence {
                since: now,
                tried_by: trial.clone(),
            };
        }
        Pass::Trial
    }

    fn note_silence(&self, vault_id: &VaultId, region: Region) {
        let mut silent = self.silent();
        let silence = || Silence {
            since: self.clock.now(),
            tried_by: None,
        };
        let now = self.clock.now();
        // Silences older than two pauses no longer count.
        let is_recent = |it: &Silence| now.since(&it.since) < PAUSE_AFTER_SILENCE.saturating_mul(2);
        silent.vaults.retain(|_, it| is_recent(it));
        silent.vaults.insert((region, vault_id.clone()), silence());
        let of_region = silent.vaults.keys().filter(|(of, _)| *of == region).count();
        if of_region >= SILENT_VAULTS_OF_A_DEAD_REGION && silent.regions.insert(region, silence()).is_none() {
            tracing::warn!(
                region = region.code(),
                vaults = of_region,
                "KMS and STS of {region} do not answer and are not called for a while"
            );
        }
    }

    fn note_answer(&self, vault_id: &VaultId, region: Region) {
        let mut silent = self.silent();
        silent.vaults.remove(&(region, vault_id.clone()));
        silent.regions.remove(&region);
    }

    fn silent(&self) -> MutexGuard<'_, Silent> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way. Over without an answer it counts as a silence, also when nobody waits for it any more; but not if it
/// had less time than an answer may take.
struct UnderWay<'a> {
    breaker: &'a Breaker,
    vault_id: &'a VaultId,
    region: Region,
    asked_at: Instant,
    answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.answered {
            self.breaker.note_answer(self.vault_id, self.region);
        } else if self.asked_at.elapsed() >= PATIENCE_OF_A_TRIAL {
            self.breaker.note_silence(self.vault_id, self.region);
        }
    }
}
