//! What was sealed, in the clear.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// An item's or message's plaintext. Zeroed on drop. No `Debug`, no `Clone`: it can be neither logged nor copied by
/// accident.
///
/// Not `Zeroizing<Vec<u8>>`, which writes a vector's bytes one by one: that takes longer than to decrypt them.
pub struct Plaintext(Vec<u8>);

impl Drop for Plaintext {
    fn drop(&mut self) {
        // As slices, which are zeroed in bulk, behind the same barrier.
        self.0.as_mut_slice().zeroize();
        self.0.spare_capacity_mut().zeroize();
    }
}

impl ZeroizeOnDrop for Plaintext {}

impl Plaintext {
    /// The bytes. Each caller is a place where the plaintext could leak: hand them on, keep none.
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
    /// Room for so many bytes. Filled through [`buffer`](Self::buffer), which must not outgrow it: a vector that moves
    /// leaves its old bytes behind.
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
