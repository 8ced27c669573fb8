//! Which vault has a name. A name is a record of its own that points at a vault, but only the vault's record says what
//! the vault is called.
//!
//! A vault never has a name without a claim of its own. The claim is written first, for the version that the vault is
//! about to have, and that version is written only over the one before it.
//!
//! So if a claim's vault has another name, the versions tell two cases apart. If the vault has reached the claim's
//! version without taking the name, the claim is void. A conditional write replaces it. If the vault has not reached
//! that version, the claim may still come true. It is made void first: the vault gets its next version without any
//! other change. Whoever was changing the vault then starts again, and finds who has the name by then.

use crate::error::Error;
use crate::ports::{NameClaim, VaultStore};
use crate::values::{VaultId, VaultName, WorkspaceId};
use crate::vault::Vault;

use crate::operations::{ATTEMPTS, outpaced};

/// Which vault has a name.
pub(super) enum NameHolder {
    /// This vault has it.
    Vault(Box<Vault>),
    /// A vault with this id is being created, or its creation crashed.
    VaultToBe(VaultId),
    /// No vault has it.
    Nobody,
}

/// The outcome of claiming a name.
pub(super) enum Claimed {
    /// The name is claimed, for the version asked for.
    Ours,
    /// This vault has the name.
    Vault(Box<Vault>),
    /// The name is kept for a vault with this id, which is being created or whose creation crashed.
    VaultToBe(VaultId),
    /// The same vault has a claim for a later version, so it has changed since it was read.
    Outdated,
}

/// Finds which vault has a name, as far as that can be known without claiming it.
pub(super) async fn holder<S: VaultStore>(
    store: &S,
    workspace_id: &WorkspaceId,
    name: &VaultName,
) -> Result<NameHolder, Error> {
    let Some(claim) = store.name_claim(workspace_id, name).await? else {
        return Ok(NameHolder::Nobody);
    };
    Ok(match store.vault(workspace_id, &claim.vault_id).await? {
        None => NameHolder::VaultToBe(claim.vault_id),
        Some(vault) if vault.is_called(name) => NameHolder::Vault(Box::new(vault)),
        Some(_) => NameHolder::Nobody,
    })
}

/// Claims a name for a vault, unless another vault has it.
pub(super) async fn claim<S: VaultStore>(
    store: &S,
    workspace_id: &WorkspaceId,
    name: &VaultName,
    wanted: &NameClaim,
) -> Result<Claimed, Error> {
    for _ in 0..ATTEMPTS {
        let seen = store.name_claim(workspace_id, name).await?;
        match &seen {
            None => {}
            Some(seen) if seen == wanted => return Ok(Claimed::Ours),
            Some(seen) if seen.vault_id == wanted.vault_id && seen.version > wanted.version => {
                return Ok(Claimed::Outdated);
            }
            Some(seen) if seen.vault_id == wanted.vault_id => {}
            Some(seen) => match store.vault(workspace_id, &seen.vault_id).await? {
                None => return Ok(Claimed::VaultToBe(seen.vault_id.clone())),
                Some(other) if other.is_called(name) => return Ok(Claimed::Vault(Box::new(other))),
                Some(other) if other.version < seen.version => {
                    make_void(store, &other).await?;
                    continue;
                }
                Some(_) => {}
            },
        }
        if store.claim_name(workspace_id, name, seen.as_ref(), wanted).await? {
            return Ok(Claimed::Ours);
        }
    }
    Err(outpaced(ATTEMPTS))
}

/// Gives the vault its next version without any other change, so that no claim for that version can come true.
async fn make_void<S: VaultStore>(store: &S, vault: &Vault) -> Result<(), Error> {
    let as_it_is = store.change_settings(vault, &vault.name, vault.data_key_cache, vault.updated_at);
    // If another request changed the vault first, it has that version anyway.
    Ok(as_it_is.await.map(drop)?)
}
