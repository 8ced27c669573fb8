//! Pauses calls after a silence (docs/adr/0012). When calls about one vault's key get no answer in a Region, that key
//! is not asked there for a while. When two vaults' keys are silent, no key is asked in that Region.
//!
//! Without the breaker, every request would wait for the same silence. With it, a dead Region costs the first requests
//! their time. After that, one request in five seconds spends up to a second on it. Validations call during a pause
//! too, for a second at most: they report only on keys that they asked.
//!
//! Only silence counts. An error is an answer and costs no time, however often it comes. One vault's silence does not
//! show that the Region is dead: one slow customer must not move all others to the other Region.

use core::future::Future;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::customer::{AccessError, AccessPurpose, CustomerAccess, Outage, PAUSE_AFTER_SILENCE};
use latchkey_core::ports::{Clock, Moment};
use latchkey_core::request::{RequestContext, time_limit};
use latchkey_core::values::{Region, RequestId, VaultId};
use tokio::time::Instant; // the clock of the timeouts

/// The longest that a trial call may take. KMS answers within a tenth of this.
const PATIENCE_OF_A_TRIAL: Duration = Duration::from_secs(1);
/// From this many silent vaults on, the whole Region counts as silent.
const SILENT_VAULTS_OF_A_DEAD_REGION: usize = 2;

/// The silences of one execution environment.
pub(super) struct Breaker {
    clock: Arc<dyn Clock>,
    silent: Mutex<Silent>,
}

/// Which keys and Regions gave no answer.
#[derive(Default)]
struct Silent {
    vaults: HashMap<(Region, VaultId), Silence>,
    regions: HashMap<Region, Silence>,
}

/// When the pause began, and which request tries again. All calls of one request about one vault are one trial.
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

    /// Makes a call about a vault's key in a Region, within the request's time. During a pause a validation's call
    /// gets a second, and any other call fails at once. The trial after a pause gets a second too.
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

/// A call under way. If it ends without an answer, it counts as a silence, even if its caller has given up. It does
/// not count if it had less time than an answer may take.
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
