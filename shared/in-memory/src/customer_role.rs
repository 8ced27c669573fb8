//! The customer's role: who may assume it.

use latchkey_core::customer::{AccessError, CustomerAccess, Refusal};
use latchkey_core::ports::RoleAttempt;
use latchkey_core::values::{RoleArn, WorkspaceId};

/// The trust policy of the customer's role, described by what it lets through.
#[derive(Clone, Debug)]
pub struct RoleTrust {
    /// The role.
    pub role_arn: RoleArn,
    /// The external id that it requires.
    pub external_id: WorkspaceId,
    /// Whether it exists and names our access role. If not, the other fields do not matter.
    pub lets_us_in: bool,
    /// Whether it accepts a caller that gives no external id.
    pub takes_missing_external_id: bool,
    /// Whether it accepts any external id.
    pub takes_wrong_external_id: bool,
    /// Whether it names the root of the service's account instead of only the access role.
    pub trusts_root: bool,
}

impl RoleTrust {
    /// The role as the setup documentation describes it.
    pub(super) const fn as_agreed(role_arn: RoleArn, external_id: WorkspaceId) -> Self {
        Self {
            role_arn,
            external_id,
            lets_us_in: true,
            takes_missing_external_id: false,
            takes_wrong_external_id: false,
            trusts_root: false,
        }
    }

    /// What STS answers. A refusal never says why.
    pub(super) fn answer(&self, access: &CustomerAccess, attempt: RoleAttempt) -> Result<(), AccessError> {
        let right_external_id = self.takes_wrong_external_id || access.workspace_id == self.external_id;
        let lets_in = match attempt {
            RoleAttempt::AsAgreed => right_external_id,
            RoleAttempt::WithoutExternalId => self.takes_missing_external_id,
            RoleAttempt::WithWrongExternalId => self.takes_wrong_external_id,
            RoleAttempt::FromAnotherRole => self.trusts_root && right_external_id,
        };
        if self.lets_us_in && access.role_arn == self.role_arn && lets_in {
            Ok(())
        } else {
            Err(AccessError::Refused(Refusal::RoleNotAssumable))
        }
    }
}
