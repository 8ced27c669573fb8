//! AES-256-GCM under a message's content key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// The length of an initialisation vector in bytes.
pub(crate) const IV_LENGTH: usize = 12;
/// The length of an authentication tag in bytes.
pub(crate) const TAG_LENGTH: usize = 16;

/// The crypto library failed: the tag does not match, or the library does not accept the input.
pub(crate) struct AeadError;

/// Encrypts the header and frames of one message, and nothing else. The message id makes the key unique, so an
/// initialisation vector need only be unique within the message.
pub(crate) struct ContentKey(LessSafeKey);

impl ContentKey {
    pub(crate) fn new(bytes: &Zeroizing<[u8; 32]>) -> Result<Self, AeadError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes.as_slice()).map_err(|_| AeadError)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Appends ciphertext and tag to `out`. The plaintext itself is never written there.
    pub(crate) fn seal(
        &self,
        iv: [u8; IV_LENGTH],
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), AeadError> {
        let start = out.len();
        let end = start
            .checked_add(plaintext.len())
            .and_then(|end| end.checked_add(TAG_LENGTH))
            .ok_or(AeadError)?;
        out.resize(end, 0);
        let (ciphertext, tag) = out
            .get_mut(start..)
            .and_then(|sealed| sealed.split_at_mut_checked(plaintext.len()))
            .ok_or(AeadError)?;
        self.0
            .seal_out_of_place_scatter(
                Nonce::assume_unique_for_key(iv),
                Aad::from(aad),
                plaintext,
                ciphertext,
                &[],
                tag,
            )
            .map_err(|_| AeadError)
    }

    /// The tag over `aad` and an empty plaintext.
    pub(crate) fn authenticate(&self, iv: [u8; IV_LENGTH], aad: &[u8]) -> Result<[u8; TAG_LENGTH], AeadError> {
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::from(aad), &mut [])
            .map_err(|_| AeadError)?;
        tag.as_ref().try_into().map_err(|_| AeadError)
    }

    /// Appends the plaintext to `out` if the tag matches. After an error, `out` must not be used.
    pub(crate) fn open(
        &self,
        iv: [u8; IV_LENGTH],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8; TAG_LENGTH],
        out: &mut Vec<u8>,
    ) -> Result<(), AeadError> {
        let start = out.len();
        out.resize(start.checked_add(ciphertext.len()).ok_or(AeadError)?, 0);
        let plaintext = out.get_mut(start..).ok_or(AeadError)?;
        self.0
            .open_separate_gather(
                Nonce::assume_unique_for_key(iv),
                Aad::from(aad),
                ciphertext,
                tag,
                plaintext,
            )
            .map_err(|_| AeadError)
    }
}
