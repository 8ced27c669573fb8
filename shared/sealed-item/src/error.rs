//! What can go wrong. No error carries or prints a byte of its input, of a key or of a plaintext.

use thiserror::Error;

/// The system's random number generator failed. Ours; may be retried.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the random number generator failed")]
pub struct RandomError;

/// These pairs are no encryption context. The caller's fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncryptionContextError {
    /// A key starts with `aws-crypto-`, which the specification reserves for itself.
    #[error("an encryption context key has the reserved prefix")]
    ReservedPrefix,
    /// Two pairs have the same key.
    #[error("two encryption context pairs have the same key")]
    DuplicateKey,
    /// A key, a value, the number of pairs or all of them together do not fit a 16-bit length.
    #[error("the encryption context is too long")]
    TooLong,
}

/// These fields are no encrypted data key. The caller's fault.
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

/// A plaintext was not sealed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext needs more than 2^32-1 frames. The caller's fault.
    #[error("the plaintext is too long for its frame length")]
    PlaintextTooLong,
    /// An item's data key is not one that the AWS KMS RSA keyring wrapped. The caller's fault.
    #[error("the encrypted data key is not of the KMS RSA keyring")]
    KeyProvider,
    /// No random nonce could be had. Ours; may be retried.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The crypto library refused to derive a key or to encrypt. Ours; does not happen with valid parameters.
    #[error("encryption failed")]
    Encryption,
}

/// These bytes are not a message that this crate takes. Whoever supplied the bytes is at fault; never retry.
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
    /// The encryption context has bytes and yet no pairs.
    #[error("the encryption context has no pairs")]
    EncryptionContextPairCount,
    /// A key or a value of the encryption context is not UTF-8.
    #[error("the encryption context is not UTF-8")]
    EncryptionContextUtf8,
    /// The keys of the encryption context do not ascend.
    #[error("the encryption context is not sorted")]
    EncryptionContextOrder,
    /// A key of the encryption context stands twice.
    #[error("the encryption context has a key twice")]
    EncryptionContextDuplicateKey,
    /// There is not exactly one encrypted data key.
    #[error("the message has not exactly one encrypted data key")]
    EncryptedDataKeyCount,
    /// The key provider id is not UTF-8.
    #[error("the key provider id is not UTF-8")]
    KeyProviderIdUtf8,
    /// The content type is neither framed (2) nor single block (1); for an item: is not framed.
    #[error("the content type is not supported")]
    ContentType,
    /// Framed content without a frame length of 1..=2^31-1, or a single block with one.
    #[error("the frame length is out of range")]
    FrameLength,
    /// A frame's sequence number is not the one before it plus 1.
    #[error("a frame is out of sequence")]
    FrameSequence,
    /// The final frame says it is longer than the frame length.
    #[error("the final frame is longer than the frame length")]
    FinalFrameLength,
    /// The message ends after a regular frame.
    #[error("the final frame is missing")]
    FinalFrameMissing,
    /// An item's encrypted data key is not of the AWS KMS RSA keyring.
    #[error("the encrypted data key is not of the KMS RSA keyring")]
    KeyProvider,
    /// An item's key provider info, a key ARN, is not UTF-8.
    #[error("the key provider info is not UTF-8")]
    KeyProviderInfoUtf8,
}

/// A message or item was not opened. Nothing of its plaintext was released; never retry with the same input.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum OpenError {
    /// The item was sealed under another item id or context. Found without any key.
    #[error("the sealed item belongs to another item id or context")]
    WrongItem,
    /// The key commitment, the header's tag or a frame's tag does not match: the wrong data key, or altered bytes.
    /// One answer for all of them, so that a forger learns nothing from which it was.
    #[error("the message does not open with this data key")]
    DoesNotOpen,
}

/// These bytes are no wrapping key that this crate takes. The key's owner is at fault.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WrappingPublicKeyError {
    /// Not the DER of an RSA `SubjectPublicKeyInfo`, exactly.
    #[error("the public key is not an RSA public key in DER")]
    Malformed,
    /// The modulus is not of 2048, 3072 or 4096 bits, the RSA key specs of KMS.
    #[error("the RSA modulus is not of 2048, 3072 or 4096 bits")]
    ModulusLength,
}

/// Nothing was wrapped.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WrapError {
    /// The plaintext is longer than the modulus leaves room for. The caller's fault.
    #[error("the plaintext is too long for the wrapping key")]
    TooLong,
    /// The crypto library refused to encrypt. Ours; does not happen with a key that was taken.
    #[error("RSA encryption failed")]
    Encryption,
}

/// What KMS decrypted is not the data key that goes with this encryption context. Never retry.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum UnwrapError {
    /// Not 80 bytes: a digest of 48 and a data key of 32.
    #[error("the unwrapped payload has the wrong length")]
    Length,
    /// The data key was wrapped for another encryption context.
    #[error("the data key was wrapped for another encryption context")]
    EncryptionContext,
}
