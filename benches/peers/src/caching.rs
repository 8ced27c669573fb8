//! The simplest cache for the Encryption SDK for Rust, which has none of its own. The first data key that is made and
//! the first that is unwrapped are used for ever. For a benchmark only: it ignores what it is asked for.

use std::sync::OnceLock;

use aws_esdk::material_providers::operation::decrypt_materials::{DecryptMaterialsInput, DecryptMaterialsOutput};
use aws_esdk::material_providers::operation::get_encryption_materials::{
    GetEncryptionMaterialsInput, GetEncryptionMaterialsOutput,
};
use aws_esdk::material_providers::types::cryptographic_materials_manager::{
    CryptographicMaterialsManager, CryptographicMaterialsManagerRef,
};
use aws_esdk::material_providers::types::error::Error;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

pub struct CachingManager {
    inner: CryptographicMaterialsManagerRef,
    sealing: OnceLock<GetEncryptionMaterialsOutput>,
    opening: OnceLock<DecryptMaterialsOutput>,
}

impl CachingManager {
    pub fn new(inner: CryptographicMaterialsManagerRef) -> Self {
        Self {
            inner,
            sealing: OnceLock::new(),
            opening: OnceLock::new(),
        }
    }
}

impl CryptographicMaterialsManager for CachingManager {
    fn get_encryption_materials(
        &self,
        input: GetEncryptionMaterialsInput,
    ) -> Result<GetEncryptionMaterialsOutput, Error> {
        if let Some(held) = self.sealing.get() {
            return Ok(held.clone());
        }
        let request = self
            .inner
            .get_encryption_materials()
            .set_algorithm_suite_id(input.algorithm_suite_id)
            .set_commitment_policy(input.commitment_policy)
            .set_encryption_context(input.encryption_context)
            .set_max_plaintext_length(input.max_plaintext_length);
        let made = block_in_place(|| Handle::current().block_on(request.send()))?;
        Ok(self.sealing.get_or_init(|| made).clone())
    }

    fn decrypt_materials(&self, input: DecryptMaterialsInput) -> Result<DecryptMaterialsOutput, Error> {
        if let Some(held) = self.opening.get() {
            return Ok(held.clone());
        }
        let request = self
            .inner
            .decrypt_materials()
            .set_algorithm_suite_id(input.algorithm_suite_id)
            .set_commitment_policy(input.commitment_policy)
            .set_encryption_context(input.encryption_context)
            .set_encrypted_data_keys(input.encrypted_data_keys)
            .set_reproduced_encryption_context(input.reproduced_encryption_context);
        let made = block_in_place(|| Handle::current().block_on(request.send()))?;
        Ok(self.opening.get_or_init(|| made).clone())
    }
}
