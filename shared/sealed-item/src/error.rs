//! What can go wrong. No error carries or prints a byte of its input, of a key or of a plaintext.

use thiserror::Error;

/// The system's random number generator failed. Our fault; may be retried.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the random number generator failed")]
pub struct RandomError;

/// These pairs are not an encryption context. The caller's fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncryptionContextError {
    /// A key starts with `aws-crypto-`, which the specification reserves for itself.
    #[error("an encryption context key has the reserved prefix")]
    ReservedPrefix,
    /// Two pairs have the same key.
    #[error("two encryption context pairs have the same key")]
    DuplicateKey,
    /// A key, a value, the number of pairs or the whole serialised context does not fit in a 16-bit length.
    #[error("the encryption context is too long")]
    TooLong,
}

/// These fields are not an encrypted data key. The caller's fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncryptedDataKeyError {
    /// A field is longer than 65,535 bytes.
    #[error("a field of the encrypted data key is too long")]
    TooLong,
}

/// A frame length outside 1..=2^31-1 bytes. The caller's fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a frame holds from 1 to 2147483647 bytes")]
pub struct FrameLengthError;

/// Why a plaintext was not sealed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext needs more than 2^32-1 frames. The caller's fault.
    #[error("the plaintext is too long for its frame length")]
    PlaintextTooLong,
    /// The AWS KMS RSA keyring did not wrap the item's data key. The caller's fault.
    #[error("the encrypted data key is not of the KMS RSA keyring")]
    KeyProvider,
    /// The nonce could not be generated. Our fault; may be retried.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The crypto library failed to derive a key or to encrypt. Our fault; does not happen with valid parameters.
    #[error("encryption failed")]
    Encryption,
}

/// These bytes are not a message that this crate accepts. Whoever supplied the bytes is at fault; never retry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes end before the message does.
    #[error("the message is truncated")]
    Truncated,
    /// Bytes follow the message's end.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// The message format version is not 2.
    #[error("the message format version is not supported")]
    MessageVersion,
    /// The algorithm suite is not 0x0478.
    #[error("the algorithm suite is not supported")]
    AlgorithmSuite,
    /// The encryption context's pairs do not fill its stated length exactly.
    #[error("the encryption context's length is wrong")]
    EncryptionContextLength,
    /// The encryption context has bytes but no pairs.
    #[error("the encryption context has no pairs")]
    EncryptionContextPairCount,
    /// A key or a value of the encryption context is not UTF-8.
    #[error("the encryption context is not UTF-8")]
    EncryptionContextUtf8,
    /// The keys of the encryption context are not in ascending order.
    #[error("the encryption context is not sorted")]
    EncryptionContextOrder,
    /// A key of the encryption context appears twice.
    #[error("the encryption context has a key twice")]
    EncryptionContextDuplicateKey,
    /// The message does not have exactly one encrypted data key.
    #[error("the message has not exactly one encrypted data key")]
    EncryptedDataKeyCount,
    /// The key provider id is not UTF-8.
    #[error("the key provider id is not UTF-8")]
    KeyProviderIdUtf8,
    /// The content type is neither framed (2) nor single block (1), or an item is not framed.
    #[error("the content type is not supported")]
    ContentType,
    /// Framed content has a frame length outside 1..=2^31-1, or a single block has a frame length.
    #[error("the frame length is out of range")]
    FrameLength,
    /// A frame's sequence number is not one more than that of the frame before it.
    #[error("a frame is out of sequence")]
    FrameSequence,
    /// The final frame states a length greater than the frame length.
    #[error("the final frame is longer than the frame length")]
    FinalFrameLength,
    /// The message ends after a regular frame.
    #[error("the final frame is missing")]
    FinalFrameMissing,
    /// The AWS KMS RSA keyring did not wrap the item's data key.
    #[error("the encrypted data key is not of the KMS RSA keyring")]
    KeyProvider,
    /// An item's key provider info, which should be a key ARN, is not UTF-8.
    #[error("the key provider info is not UTF-8")]
    KeyProviderInfoUtf8,
}

/// Why a message or item was not opened. None of its plaintext was released; never retry with the same input.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum OpenError {
    /// The item was sealed under another item id or context. Finding this out takes no key.
    #[error("the sealed item belongs to another item id or context")]
    WrongItem,
    /// The key commitment, the header's tag or a frame's tag does not match: the wrong data key, or altered bytes.
    /// There is one error for all of them, so that a forger does not learn which check failed.
    #[error("the message does not open with this data key")]
    DoesNotOpen,
}

/// These bytes are not a wrapping key that this crate accepts. The key's owner is at fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WrappingPublicKeyError {
    /// The bytes are not exactly the DER of an RSA `SubjectPublicKeyInfo`.
    #[error("the public key is not an RSA public key in DER")]
    Malformed,
    /// The modulus does not have 2048, 3072 or 4096 bits, the RSA key specs of KMS.
    #[error("the RSA modulus is not of 2048, 3072 or 4096 bits")]
    ModulusLength,
}

/// Why nothing was wrapped.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WrapError {
    /// The plaintext is too long for the modulus. The caller's fault.
    #[error("the plaintext is too long for the wrapping key")]
    TooLong,
    /// The crypto library failed to encrypt. Our fault; does not happen with a key that was accepted.
    #[error("RSA encryption failed")]
    Encryption,
}

/// What KMS decrypted is not the data key that goes with this encryption context. Never retry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum UnwrapError {
    /// The payload does not have 80 bytes: a digest of 48 and a data key of 32.
    #[error("the unwrapped payload has the wrong length")]
    Length,
    /// The data key was wrapped for another encryption context.
    #[error("the data key was wrapped for another encryption context")]
    EncryptionContext,
}
