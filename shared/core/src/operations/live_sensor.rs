//! Live traffic is a sensor too: how the customer's key answers encrypt and decrypt shows its health.

use std::sync::Arc;

use jiff::Timestamp;

use crate::data_keys::cache::UnwrappedDataKey;
use crate::error::{Error, log_undone};
use crate::health::HealthState;
use crate::health::observation::Observation;
use crate::operations::health_record;
use crate::ports::VaultStore;
use crate::request::{RequestContext, time_limit};
use crate::vault::Vault;

/// Records the outcome of asking for a data key of `vault`, which began at `asked_at`.
///
/// A refusal makes the vault `unusable`, and due for its whole validation at once. If the key opens again while the
/// vault is `unusable`, that proves only that one call works in one Region. So it does not clear the vault, but makes
/// it due at once. The request gets the same answer whether this succeeds or not.
pub(super) async fn note<S: VaultStore>(
    store: &S,
    context: &RequestContext,
    vault: &Vault,
    asked_at: Timestamp,
    outcome: &Result<Arc<UnwrappedDataKey>, Error>,
) {
    let unusable = vault.health.state == HealthState::Unusable;
    let noting = async {
        match outcome {
            Err(Error::KeyRefused { finding, .. }) if !unusable => {
                let observation = Observation::of_live_refusal((**finding).clone(), asked_at);
                health_record::record(store, vault, &observation).await.map(drop)
            }
            Ok(data_key) if unusable && opened_since(data_key, vault) && vault.due.at > asked_at => {
                let marked = store.mark_due(&vault.workspace_id, &vault.vault_id, asked_at).await;
                marked.map_err(Error::from)
            }
            _ => Ok(()),
        }
    };
    // The answer comes first, so this gets at most half of the time that is left.
    let patience = context.time_left().checked_div(2).unwrap_or_default();
    let noted = time_limit::within(patience, noting).await;
    if let Err(error) = noted.unwrap_or(Err(Error::OutOfTime)) {
        log_undone!(&error, "what a request met at the customer's key could not be recorded");
    }
}

/// Whether the key opened `data_key` since the vault's last check. A data key that was held before proves nothing.
fn opened_since(data_key: &UnwrappedDataKey, vault: &Vault) -> bool {
    data_key.proven_at.wall > vault.health.checked_at
}
