//! A process that is killed at one of its calls to the outside.

use core::future::{Future, pending};
use std::sync::{Arc, Mutex};

use tokio::select;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::lock;
use latchkey_core::customer::{AccessError, CustomerAccess};
use latchkey_core::ports::{Announcer, AnnouncerError, CustomerKeys, KeyDescription, RoleAttempt};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{CustomerPublicKey, Region};
use latchkey_core::vault::announcement::Announcement;

/// When a process is killed, relative to the call at which that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Before the call: it is never made.
    Before,
    /// After the call: it has taken effect, but the process does not see the answer.
    After,
}

/// One process, which makes all its calls to the outside through this type. Clones are the same process.
#[derive(Clone, Debug, Default)]
pub struct Process(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    killed: Notify,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    to_die_at: Option<(usize, Death)>,
    dead: bool,
}

/// A port as a process uses it. Calls to the port count as calls of the process.
#[derive(Clone, Debug)]
pub struct OfProcess<P> {
    port: P,
    process: Process,
}

impl Process {
    /// A process that is killed at its `nth` call, counted from 1.
    pub fn killed_at(nth: usize, death: Death) -> Self {
        let process = Self::default();
        lock(&process.0.state).to_die_at = Some((nth, death));
        process
    }

    /// Wraps a port, so that its calls count as this process's.
    pub fn using<P>(&self, port: P) -> OfProcess<P> {
        OfProcess {
            port,
            process: self.clone(),
        }
    }

    /// How many calls it has made. The call at which it was killed counts, even if it was not made.
    pub fn calls(&self) -> usize {
        lock(&self.0.state).calls
    }

    /// Runs `work`. `None` if the process is killed first, which stops all of the work at once.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let outcome = select! {
            biased;
            () = self.0.killed.notified() => None,
            outcome = work => Some(outcome),
        };
        outcome.filter(|_| !lock(&self.0.state).dead)
    }

    /// Makes one call to the outside.
    pub async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        let death = self.next_call();
        if death == Some(Death::Before) {
            return self.die().await;
        }
        let answer = call.await;
        if death == Some(Death::After) {
            return self.die().await;
        }
        answer
    }

    /// Counts a call, and says whether the process is killed at it. A dead process makes no further calls.
    fn next_call(&self) -> Option<Death> {
        let mut state = lock(&self.0.state);
        if state.dead {
            return Some(Death::Before);
        }
        state.calls = state.calls.saturating_add(1);
        let (nth, death) = state.to_die_at?;
        (nth == state.calls).then_some(death)
    }

    async fn die<T>(&self) -> T {
        lock(&self.0.state).dead = true;
        self.0.killed.notify_one();
        pending().await
    }
}

impl<P: Announcer> Announcer for OfProcess<P> {
    async fn announce(&self, announcement: &Announcement) -> Result<(), AnnouncerError> {
        self.process.call(self.port.announce(announcement)).await
    }
}

impl<P: CustomerKeys> CustomerKeys for OfProcess<P> {
    /// Does not count as a call, because it changes nothing outside.
    async fn prepare(&self, region: Region) {
        self.port.prepare(region).await
    }

    async fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> Result<(), AccessError> {
        let call = self.port.attempt_role(context, access, attempt, region);
        self.process.call(call).await
    }

    async fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<KeyDescription, AccessError> {
        self.process.call(self.port.describe_key(context, access, region)).await
    }

    async fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<CustomerPublicKey, AccessError> {
        self.process.call(self.port.public_key(context, access, region)).await
    }

    async fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, AccessError> {
        let call = self.port.encrypt(context, access, region, plaintext);
        self.process.call(call).await
    }

    async fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AccessError> {
        let call = self.port.decrypt(context, access, region, ciphertext);
        self.process.call(call).await
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join;

    use super::*;

    /// Makes two calls at the same time and a third one after them. Returns how many took effect, and the outcome.
    async fn work(process: &Process) -> (usize, Option<()>) {
        let done = AtomicUsize::new(0);
        let call = || {
            process.call(async {
                done.fetch_add(1, Ordering::Relaxed);
            })
        };
        let outcome = process.run(async {
            join(call(), call()).await;
            call().await;
        });
        let outcome = outcome.await;
        (done.into_inner(), outcome)
    }

    #[tokio::test]
    async fn a_process_stops_at_the_call_at_which_it_is_killed() {
        let mut seen = Vec::new();
        for (nth, death) in (1..=4).flat_map(|nth| [(nth, Death::Before), (nth, Death::After)]) {
            let process = Process::killed_at(nth, death);
            let (done, outcome) = work(&process).await;
            seen.push((done, process.calls(), outcome.is_some()));
        }
        let killed = |done, calls| (done, calls, false);
        assert_eq!(
            seen[..6],
            [
                killed(0, 1),
                killed(1, 1),
                killed(1, 2),
                killed(2, 2),
                killed(2, 3),
                killed(3, 3)
            ]
        );
        assert_eq!(seen[6..], [(3, 3, true); 2], "there is no fourth call");
        assert_eq!(work(&Process::default()).await, (3, Some(())));
    }
}
