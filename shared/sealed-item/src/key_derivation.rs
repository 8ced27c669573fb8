//! Derives each message's own keys from a plaintext data key.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use zeroize::{Zeroizing, zeroize_stack};

use crate::content_key::ContentKey;
use crate::message_id::MessageId;
use crate::plaintext_data_key::PlaintextDataKey;

/// The one algorithm suite: AES-256-GCM, HKDF-SHA512, key commitment, no signature.
pub(crate) const ALGORITHM_SUITE_ID: u16 = 0x0478;

/// HKDF's info for the content key: the algorithm suite id, the label, and HKDF's own block counter.
const CONTENT_KEY_INFO: &[u8] = b"\x04\x78DERIVEKEY\x01";
/// HKDF's info for the commit key: the label, and HKDF's own block counter.
const COMMIT_KEY_INFO: &[u8] = b"COMMITKEY\x01";

/// The key derivation failed inside the crypto library.
pub(crate) struct DerivationError;

/// A message's keys (framework/algorithm-suites.md, "Algorithm Suites Encryption Key Derivation Settings" and
/// "Algorithm Suites Commit Key Derivation Settings").
pub(crate) struct MessageKeys {
    pub(crate) content_key: ContentKey,
    pub(crate) commit_key: CommitKey,
}

/// Commits a message to one data key. The header carries it in the clear.
pub(crate) struct CommitKey([u8; Self::LENGTH]);

/// More stack than the derivation uses. The contexts of HMAC and their moves take 9 KiB at `opt-level = 1`.
const STACK_USED: usize = if cfg!(debug_assertions) { 64 * 1024 } else { 12 * 1024 };

impl MessageKeys {
    /// Derives the keys, then zeroes the stack that the derivation used. An `hmac::Key` is zeroed on drop, but each
    /// move of it leaves its hash states on the stack. The states of the PRK are worth as much as the PRK itself.
    pub(crate) fn derive(message_id: &MessageId, data_key: &PlaintextDataKey) -> Result<Self, DerivationError> {
        let keys = Self::derive_on_the_stack_below(message_id, data_key);
        zeroize_stack::<STACK_USED>();
        keys
    }

    // Never inlined: its frame must be below that of `derive`, where `zeroize_stack` puts its own.
    #[inline(never)]
    fn derive_on_the_stack_below(message_id: &MessageId, data_key: &PlaintextDataKey) -> Result<Self, DerivationError> {
        let prk = extract(message_id, data_key)?;
        // This key keeps the PRK's padded blocks for both expansions.
        let prk = hmac::Key::new(hmac::HMAC_SHA512, prk.as_slice());
        let content_key = expand(&prk, CONTENT_KEY_INFO)?;
        let commit_key = expand(&prk, COMMIT_KEY_INFO)?;
        Ok(Self {
            content_key: ContentKey::new(&content_key).map_err(|_| DerivationError)?,
            commit_key: CommitKey(*commit_key),
        })
    }
}

impl CommitKey {
    /// The length in bytes.
    pub(crate) const LENGTH: usize = 32;

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Whether the message is committed to the data key that this key was derived from. Compares in constant time.
    pub(crate) fn matches(&self, stored: &[u8; Self::LENGTH]) -> bool {
        verify_slices_are_equal(&self.0, stored).is_ok()
    }
}

// HKDF (RFC 5869) is written out over HMAC. `aws_lc_rs::hkdf` repeats the extraction for each expansion, and the
// derivation is most of what a small message costs. Neither step is inlined, so that both use the same stack.

/// HKDF-Extract: HMAC-SHA512(salt, input keying material).
#[inline(never)]
fn extract(message_id: &MessageId, data_key: &PlaintextDataKey) -> Result<Zeroizing<[u8; 64]>, DerivationError> {
    let salt = hmac::Key::new(hmac::HMAC_SHA512, message_id.as_bytes());
    let mut prk = Zeroizing::new([0; 64]);
    hmac::sign_to_buffer(&salt, data_key.expose_secret(), prk.as_mut_slice()).map_err(|_| DerivationError)?;
    Ok(prk)
}

/// HKDF-Expand to 32 bytes. One block of SHA-512 is enough: T(1) = HMAC-SHA512(PRK, info || 0x01), cut to length.
#[inline(never)]
fn expand(prk: &hmac::Key, info_and_counter: &[u8]) -> Result<Zeroizing<[u8; 32]>, DerivationError> {
    let mut block = Zeroizing::new([0; 64]);
    hmac::sign_to_buffer(prk, info_and_counter, block.as_mut_slice()).map_err(|_| DerivationError)?;
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(block.first_chunk::<32>().ok_or(DerivationError)?);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};

    use super::*;

    struct Length32;

    impl KeyType for Length32 {
        fn len(&self) -> usize {
            32
        }
    }

    /// The same derivation with the library's own HKDF and the infos of the specification.
    fn hkdf(message_id: &MessageId, data_key: &PlaintextDataKey, info: &[&[u8]]) -> [u8; 32] {
        let mut key = [0; 32];
        let prk = Salt::new(HKDF_SHA512, message_id.as_bytes()).extract(data_key.expose_secret());
        prk.expand(info, Length32).unwrap().fill(&mut key).unwrap();
        key
    }

    #[test]
    fn the_keys_are_those_of_hkdf() {
        let (message_id, data_key) = (MessageId::generate().unwrap(), PlaintextDataKey::generate().unwrap());
        let prk = extract(&message_id, &data_key).ok().unwrap();
        let prk = hmac::Key::new(hmac::HMAC_SHA512, prk.as_slice());
        let content_key = expand(&prk, CONTENT_KEY_INFO).ok().unwrap();
        let suite = ALGORITHM_SUITE_ID.to_be_bytes();
        assert_eq!(*content_key, hkdf(&message_id, &data_key, &[&suite, b"DERIVEKEY"]));
        let keys = MessageKeys::derive(&message_id, &data_key).ok().unwrap();
        assert_eq!(
            keys.commit_key.as_bytes(),
            &hkdf(&message_id, &data_key, &[b"COMMITKEY"])
        );
    }

    #[test]
    fn a_commit_key_matches_itself_alone() {
        let commit_key = CommitKey([3; 32]);
        assert!(commit_key.matches(&[3; 32]));
        for index in 0..32 {
            let mut other = [3; 32];
            other[index] ^= 0x80;
            assert!(!commit_key.matches(&other));
        }
    }
}
