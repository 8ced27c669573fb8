//! How an observation gets on record: read, decide, write if nobody has written meanwhile, or else decide anew.

use super::Health;
use super::observation::Observation;
use crate::error::Error;
use crate::ports::VaultStore;
use crate::vault::Vault;

/// How often the record may change under our hands before we give up. Each time, somebody else has got on record, so this
/// is how many may observe one vault at the same moment.
const ATTEMPTS: u32 = 20;

/// Puts what was observed of `vault` on record, with when it is to be checked next, and answers the health that is on
/// record then.
///
/// `vault` is as it was read some time ago: should its health have changed meanwhile, it is read again. An observation
/// that changes nothing writes nothing.
///
/// # Errors
/// [`Error::VaultNotFound`] when the vault is gone, or the records' own trouble.
pub async fn record<S: VaultStore>(store: &S, vault: &Vault, observation: &Observation) -> Result<Health, Error> {
    let (mut on_record, mut due) = (vault.health.clone(), vault.due);
    for _ in 0..ATTEMPTS {
        let Some(health) = on_record.after(observation) else {
            return Ok(on_record);
        };
        let next = due.after(observation, &health);
        if store
            .record_health(&vault.workspace_id, &vault.vault_id, &health, &next)
            .await?
        {
            return Ok(health);
        }
        let read_again = store.vault(&vault.workspace_id, &vault.vault_id).await?;
        (on_record, due) = read_again
            .map(|vault| (vault.health, vault.due))
            .ok_or(Error::VaultNotFound)?;
    }
    Err(Error::Unavailable)
}
