//! Role sessions in memory. Their number is bounded, callers that wait for the same session share one call to STS,
//! and sessions are renewed before they expire.

use core::future::Future;
use core::hash::Hash;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Arc;

use aws_credential_types::Credentials;
use latchkey_core::customer::{AccessError, LONGEST_SESSION, Outage};
use latchkey_core::ports::{Clock, Moment};
use moka::future::Cache;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;

/// How long a session lasts: the shortest time that STS grants, because a change of the role's trust policy does not
/// end a session that has already begun.
pub(super) const SESSION_SECONDS: i32 = LONGEST_SESSION.as_secs() as i32;
/// From this age on, a session is renewed. During an outage of STS it stays in use until [`USABLE_FOR`].
const RENEWED_FROM: Duration = Duration::from_secs(600);
/// Half a minute less than a session lasts, so that no call arrives after the expiry.
const USABLE_FOR: Duration = Duration::from_secs(870);
/// How long to wait before the next renewal after one met an outage.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);
/// About 4 MB of credentials.
const CAPACITY: u64 = 2_000;

/// A session in a role.
pub(super) struct Session {
    pub(super) credentials: Credentials,
    pub(super) session_name: String,
    /// The moment before STS was asked.
    entered_at: Moment,
    renewed_from: Duration,
}

impl Session {
    pub(super) const fn new(credentials: Credentials, session_name: String, entered_at: Moment) -> Self {
        Self {
            credentials,
            session_name,
            entered_at,
            renewed_from: RENEWED_FROM,
        }
    }

    fn renewed_later(&self, age: Duration) -> Self {
        Self {
            credentials: self.credentials.clone(),
            session_name: self.session_name.clone(),
            entered_at: self.entered_at,
            renewed_from: age.saturating_add(RENEWAL_PAUSE).min(USABLE_FOR),
        }
    }
}

/// The sessions of one execution environment.
pub(super) struct SessionCache<K> {
    sessions: Cache<K, Arc<Session>>,
    /// The sessions being entered, shared by all callers that wait. They are kept apart from `sessions`, where the
    /// old session stays until it is renewed: if the caller that renews it is cancelled, the others still need the
    /// old one.
    entering: Cache<K, Arc<Session>>,
    clock: Arc<dyn Clock>,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> SessionCache<K> {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        // Moka's expiry only frees memory. Our clock decides at each use whether a session may still be used.
        let cache = || {
            Cache::builder()
                .max_capacity(CAPACITY)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(Duration::from_secs(u64::from(SESSION_SECONDS.unsigned_abs())))
                .build()
        };
        Self {
            sessions: cache(),
            entering: cache(),
            clock,
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The cached session, or the one that `enter` returns. Callers that ask at the same time share one `enter`. A
    /// failure goes to all of them and is not cached. If the caller that runs `enter` runs out of time, the others
    /// try again.
    pub(super) async fn held_or_entered<Enter>(&self, key: K, enter: Enter) -> Result<Arc<Session>, AccessError>
    where
        Enter: Future<Output = Result<Session, AccessError>>,
    {
        // Boxed here and below, because the cache moves the future around. In an unoptimised build, entering one role
        // inside another would not fit on a thread's stack.
        let mut enter = Box::pin(enter);
        loop {
            if let Some(session) = self.fresh(&key).await {
                return Ok(session);
            }
            let ours = AtomicBool::new(false);
            let entering = Box::pin(async {
                ours.store(true, Ordering::Relaxed);
                match self.fresh(&key).await {
                    Some(session) => Ok(session), // from a faster caller
                    None => self.entered(&key, enter.as_mut()).await,
                }
            });
            let entered = self.entering.try_get_with(key.clone(), entering).await;
            let ours = ours.into_inner();
            match entered {
                Ok(session) => {
                    self.entering.invalidate(&key).await;
                    if ours || self.is_fresh(&session) {
                        return Ok(session);
                    }
                }
                // The caller that ran `enter` ran out of its time, not of ours.
                Err(error) if matches!(*error, AccessError::Outage(Outage::TimedOut)) && !ours => {}
                Err(error) => return Err(AccessError::clone(&error)),
            }
        }
    }

    async fn entered(
        &self,
        key: &K,
        enter: impl Future<Output = Result<Session, AccessError>>,
    ) -> Result<Arc<Session>, AccessError> {
        let held = self.sessions.get(key).await;
        let session = match enter.await {
            Ok(session) => Arc::new(session),
            Err(AccessError::Outage(outage)) => self.usable(held).ok_or(AccessError::Outage(outage))?,
            Err(error) => {
                self.sessions.invalidate(key).await;
                return Err(error);
            }
        };
        self.sessions.insert(key.clone(), Arc::clone(&session)).await;
        Ok(session)
    }

    /// The cached session, unless it is due for renewal.
    async fn fresh(&self, key: &K) -> Option<Arc<Session>> {
        let held = self.sessions.get(key).await?;
        self.is_fresh(&held).then_some(held)
    }

    fn is_fresh(&self, session: &Session) -> bool {
        self.age(session) < session.renewed_from
    }

    /// Removes `session` if it is still the cached one.
    pub(super) async fn forget(&self, key: &K, session: &Arc<Session>) {
        for cache in [&self.sessions, &self.entering] {
            cache
                .entry_by_ref(key)
                .and_compute_with(|held| {
                    let is_held = held.is_some_and(|held| Arc::ptr_eq(held.value(), session));
                    core::future::ready(if is_held { Op::Remove } else { Op::Nop })
                })
                .await;
        }
    }

    /// The session whose renewal met an outage, if it may still be used.
    fn usable(&self, held: Option<Arc<Session>>) -> Option<Arc<Session>> {
        let session = held?;
        let age = self.age(&session);
        (age < USABLE_FOR).then(|| Arc::new(session.renewed_later(age)))
    }

    fn age(&self, session: &Session) -> Duration {
        self.now().since(&session.entered_at)
    }
}
