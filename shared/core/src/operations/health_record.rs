//! How health is recorded: read, decide, and write unless the record has changed meanwhile. If it has, decide again.

use jiff::Timestamp;

use crate::error::Error;
use crate::health::Health;
use crate::health::due::Due;
use crate::health::observation::Observation;
use crate::operations::outpaced;
use crate::ports::VaultStore;
use crate::vault::Vault;
use crate::vault::announcement::Announcement;

/// How many times the record may change before we give up. Each change means that another writer succeeded, so this is
/// how many writers may observe one vault at the same time.
const ATTEMPTS: u32 = 20;

/// Records what was observed of `vault`, and when to check it next. Returns the health that is then on record.
///
/// `vault` may be out of date. If its health has changed meanwhile, it is read again. An observation that changes
/// nothing writes nothing.
///
/// # Errors
/// [`Error::VaultNotFound`] if the vault is gone, or an error of the vault records.
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

/// Records that `announced` were announced at `now`. Returns what [`record`] returns.
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
