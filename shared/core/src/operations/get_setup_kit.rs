//! get-setup-kit: what the caller's workspace is handed to set its AWS account up.

use crate::caller::Caller;
use crate::error::Error;
use crate::setup_kit::{SetupKit, TemplatesUrl};
use crate::values::RoleArn;

/// Hands out setup kits.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::GetSetupKit;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let example = Example::new()?;
/// let kit = GetSetupKit { access_role: example.access_role.clone(), templates_url: None }.run(&example.admin)?;
/// assert!(kit.trust_policy.to_string().contains("ws-acme"), "the external id is the workspace");
/// # Ok(())
/// # }
/// ```
pub struct GetSetupKit {
    /// The service's access role.
    pub access_role: RoleArn,
    /// Where AWS's console can read the templates from, if anywhere.
    pub templates_url: Option<TemplatesUrl>,
}

impl GetSetupKit {
    /// The kit of the caller's workspace. Nothing in it is secret, but only those who administer vaults have a use for it,
    /// so members, who do not, get none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a member.
    pub fn run(&self, caller: &Caller) -> Result<SetupKit, Error> {
        caller.require_vault_admin()?;
        SetupKit::new(&caller.workspace_id, &self.access_role, self.templates_url.as_ref())
    }
}
