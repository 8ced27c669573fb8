//! Whose a name is. A name is a record of its own that points at a vault; the vault's record alone says what it is called.
//!
//! A vault is never called what no claim of its own stands for: the claim is written first, for the version that the vault
//! is about to have, and that version is written only from the one before it. So of a claim whose vault has another name,
//! one can tell whether it is void (the vault has that version, and did not take the name) or may yet come true (it has
//! not got that far). The first is replaced by a conditional write. The second is made void first, by giving the vault
//! its next version without changing it; whoever was at work there starts anew, and finds out whose the name is by then.

use crate::error::Error;
use crate::ports::{NameClaim, VaultStore};
use crate::values::{VaultId, VaultName, WorkspaceId};
use crate::vault::Vault;

use crate::operations::{ATTEMPTS, outpaced};

/// Whose a name is.
pub(super) enum NameHolder {
    /// This vault is called so.
    Vault(Box<Vault>),
    /// A vault of this id is being created, or its creation died.
    VaultToBe(VaultId),
    /// Nobody's.
    Nobody,
}

/// What came of claiming a name.
pub(super) enum Claimed {
    /// It is claimed, for the version asked for.
    Ours,
    /// It is this vault's.
    Vault(Box<Vault>),
    /// It is kept for a vault of this id, which is being created or whose creation died.
    VaultToBe(VaultId),
    /// There is a claim of the same vault for a later version: it has changed since it was read.
    Outdated,
}

/// Whose the name is, as far as anybody can tell without claiming it.
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

/// Claims a name for a vault, unless it is another's.
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

/// Gives the vault its next version as it is: no claim on a name for that version can come true any more.
async fn make_void<S: VaultStore>(store: &S, vault: &Vault) -> Result<(), Error> {
    let as_it_is = store.change_settings(vault, &vault.name, vault.data_key_cache, vault.updated_at);
    // Should another have changed it first, it has that version all the same.
    Ok(as_it_is.await.map(drop)?)
}
