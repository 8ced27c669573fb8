//! How health gets on record: read, decide, write if nobody has written meanwhile, or else decide anew.

use jiff::Timestamp;

use crate::error::Error;
use crate::health::Health;
use crate::health::due::Due;
use crate::health::observation::Observation;
use crate::operations::outpaced;
use crate::ports::VaultStore;
use crate::vault::Vault;
use crate::vault::announcement::Announcement;

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
pub(super) async fn record<S: VaultStore>(
    store: &S,
    vault: &Vault,
    observation: &Observation,
) -> Result<Health, Error> {
    let observed = |health: &Health, due: &Due| {
        let health = health.after(observation)?;
        let due = due.after(observation, &health, vault.strategy);
        Some((health, due))
    };
    let on_record = (vault.health.clone(), vault.due);
    replace(store, vault, on_record, observed).await
}

/// Puts on record that `announced` have been announced at `now`. Answers as [`record`] does.
///
/// # Errors
/// As [`record`].
pub(super) async fn record_announced<S: VaultStore>(
    store: &S,
    vault: &Vault,
    announced: &[Announcement],
    now: Timestamp,
) -> Result<Health, Error> {
    let told = |health: &Health, due: &Due| health.once_announced(announced, now).map(|health| (health, *due));
    let on_record = read(store, vault).await?;
    replace(store, vault, on_record, told).await
}

async fn replace<S: VaultStore>(
    store: &S,
    vault: &Vault,
    (mut on_record, mut due): (Health, Due),
    decide: impl Fn(&Health, &Due) -> Option<(Health, Due)>,
) -> Result<Health, Error> {
    for _ in 0..ATTEMPTS {
        let Some((health, next)) = decide(&on_record, &due) else {
            return Ok(on_record);
        };
        if store
            .record_health(&vault.workspace_id, &vault.vault_id, &health, &next)
            .await?
        {
            return Ok(health);
        }
        (on_record, due) = read(store, vault).await?;
    }
    Err(outpaced(ATTEMPTS))
}

async fn read<S: VaultStore>(store: &S, vault: &Vault) -> Result<(Health, Due), Error> {
    let found = store.vault(&vault.workspace_id, &vault.vault_id).await?;
    found.map(|vault| (vault.health, vault.due)).ok_or(Error::VaultNotFound)
}
