//! The plaintext of a message or item.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A plaintext, zeroed on drop. It has no `Debug` and no `Clone`, so it cannot be logged or copied by accident.
///
/// It is not a `Zeroizing<Vec<u8>>`, which zeroes a vector byte by byte. That takes longer than decrypting it.
pub struct Plaintext(Vec<u8>);

impl Drop for Plaintext {
    fn drop(&mut self) {
        // Slices are zeroed in bulk, behind the same barrier.
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
    }
}

impl ZeroizeOnDrop for Plaintext {}

impl Plaintext {
    /// The bytes. Each caller is a place where the plaintext could leak: pass them on and keep none.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Plaintext {
    /// An empty plaintext with room for this many bytes. It is filled through [`buffer`](Self::buffer), which must not
    /// outgrow it: a vector that moves leaves its old bytes behind.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl From<Vec<u8>> for Plaintext {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Zeroizing<Vec<u8>>> for Plaintext {
    fn from(mut bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(std::mem::take(&mut *bytes))
    }
}
