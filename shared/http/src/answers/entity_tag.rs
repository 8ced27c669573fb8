//! ETags of vaults (RFC 9110, section 8.8.3).

use latchkey_core::vault::VaultTag;

/// The tag as the header `ETag` has it.
pub(crate) fn entity_tag(tag: VaultTag) -> String {
    format!("\"{tag}\"")
}
