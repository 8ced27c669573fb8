//! Live traffic is a sensor too: what encrypt and decrypt meet at the customer's key is evidence of its health.

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

/// Takes note of what came of asking for a data key of `vault` from `asked_at` on.
///
/// A refusal makes the vault `unusable` and due for its whole validation at once. A key that opens again although the
/// vault is `unusable` proves only that this one call works in this one Region, so it does not clear the vault; but it
/// makes it due at once. Whatever becomes of this note, the request is answered as it would be without.
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
    // Answering comes first: the note gets no more than half of what is left.
    let patience = context.time_left().checked_div(2).unwrap_or_default();
    let noted = time_limit::within(patience, noting).await;
    if let Err(error) = noted.unwrap_or(Err(Error::OutOfTime)) {
        log_undone!(&error, "what a request met at the customer's key could not be recorded");
    }
}

/// A data key that was held already proves nothing.
fn opened_since(data_key: &UnwrappedDataKey, vault: &Vault) -> bool {
    data_key.proven_at.wall > vault.health.checked_at
}
