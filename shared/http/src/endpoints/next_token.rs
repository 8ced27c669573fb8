//! The token that leads to the next page of a list.

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use latchkey_core::operations::VaultFilter;
use latchkey_core::values::{Invalid, VaultId, WorkspaceId};

/// How much of the digest is in a token, in bytes.
const DIGEST_LENGTH: usize = 16;

/// The token for the vaults after `after`, in the caller's workspace and under the same filter.
///
/// It carries a digest of all three. So a token of another list, or one that was cut short, is noticed and does not
/// silently lead elsewhere. The digest needs no secret, because it guards nothing: what is read is always in the
/// workspace of the caller's own token.
pub(super) fn write(workspace_id: &WorkspaceId, filter: VaultFilter, after: &VaultId) -> String {
    let after = after.as_str().as_bytes();
    Base64UrlUnpadded::encode_string(&[&digest_of(workspace_id, filter, after), after].concat())
}

/// The vault after which the page begins.
pub(super) fn read(text: &str, workspace_id: &WorkspaceId, filter: VaultFilter) -> Result<VaultId, Invalid> {
    decoded(text, workspace_id, filter).ok_or(Invalid::expected(
        "the next_token of the page before, in the same workspace and with the same filters",
    ))
}

fn decoded(text: &str, workspace_id: &WorkspaceId, filter: VaultFilter) -> Option<VaultId> {
    let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
    let (digest, after) = bytes.split_at_checked(DIGEST_LENGTH)?;
    if digest != digest_of(workspace_id, filter, after) {
        return None;
    }
    VaultId::parse(core::str::from_utf8(after).ok()?).ok()
}

fn digest_of(workspace_id: &WorkspaceId, filter: VaultFilter, after: &[u8]) -> [u8; DIGEST_LENGTH] {
    let VaultFilter { status, health } = filter;
    let status = status.map_or("", |status| status.as_str());
    let health = health.map_or("", |health| health.as_str());
    // No part has a line feed in it.
    let listed = format!("latchkey next_token\n{workspace_id}\n{status}\n{health}\n");
    let digest = digest(&SHA256, &[listed.as_bytes(), after].concat());
    let mut first = [0; DIGEST_LENGTH];
    first.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_core::health::HealthState;
    use latchkey_core::vault::VaultStatus;

    #[test]
    fn a_token_leads_on_in_its_own_list_alone() {
        let workspace = |text| WorkspaceId::parse(text).expect("valid");
        let (ours, after) = (workspace("ws-1"), VaultId::generate());
        let active = VaultFilter {
            status: Some(VaultStatus::Active),
            ..VaultFilter::NONE
        };
        let healthy = VaultFilter {
            health: Some(HealthState::Healthy),
            ..VaultFilter::NONE
        };
        let token = write(&ours, VaultFilter::NONE, &after);
        assert_eq!(read(&token, &ours, VaultFilter::NONE), Ok(after));
        assert!(read(&token, &workspace("ws-2"), VaultFilter::NONE).is_err());
        assert!(read(&token, &ours, active).is_err());
        assert!(read(&token, &ours, healthy).is_err());
    }

    #[test]
    fn what_is_no_token_leads_nowhere() {
        let ours = WorkspaceId::parse("ws-1").expect("valid");
        let token = write(&ours, VaultFilter::NONE, &VaultId::generate());
        for length in 0..token.len() {
            assert!(read(&token[..length], &ours, VaultFilter::NONE).is_err(), "{length}");
        }
        let no_id = digest_of(&ours, VaultFilter::NONE, b"no id");
        let no_id = Base64UrlUnpadded::encode_string(&[&no_id[..], b"no id"].concat());
        for text in ["*", "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r", &format!("{token}="), &no_id] {
            assert!(read(text, &ours, VaultFilter::NONE).is_err(), "{text}");
        }
    }
}
