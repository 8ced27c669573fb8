//! get-setup-kit: gives a workspace what it needs to set up its AWS account.

use crate::caller::Caller;
use crate::error::Error;
use crate::operations::{Operation, Service};
use crate::setup_kit::{SetupKit, TemplatesUrl};
use crate::values::RoleArn;

/// Returns setup kits.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let example = Example::new()?;
/// let kit = example.service().get_setup_kit().run(&example.admin)?;
/// assert!(kit.trust_policy.to_string().contains("ws-acme"), "the external id is the workspace");
/// # Ok(())
/// # }
/// ```
pub struct GetSetupKit {
    /// The service's access role.
    pub access_role: RoleArn,
    /// Where the AWS console can read the templates, if they are published.
    pub templates_url: Option<TemplatesUrl>,
}

impl<P> Service<P> {
    /// get-setup-kit. It needs no port.
    pub fn get_setup_kit(&self) -> GetSetupKit {
        GetSetupKit {
            access_role: self.settings.access_role.clone(),
            templates_url: self.settings.templates_url.clone(),
        }
    }
}

impl GetSetupKit {
    /// Returns the kit of the caller's workspace. Nothing in it is secret, but only those who administer vaults need
    /// it, so members get none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a member.
    pub fn run(&self, caller: &Caller) -> Result<SetupKit, Error> {
        Operation::GetSetupKit.admit(caller)?;
        SetupKit::new(&caller.workspace_id, &self.access_role, self.templates_url.as_ref())
    }
}
