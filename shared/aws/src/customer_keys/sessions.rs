//! Sessions in the customers' roles: one per access and Region.

use std::sync::Arc;

use latchkey_core::customer::policies::session_policy;
use latchkey_core::customer::{AccessError, CustomerAccess, RoleSessionName};
use latchkey_core::ports::Clock;
use latchkey_core::request::RequestContext;
use latchkey_core::values::Region;

use super::assume_role::AssumeRoleTerms;
use super::role_entrance::RoleEntrance;
use super::session_cache::{Session, SessionCache};

/// The cached sessions. An access is one vault of one workspace, with its role, key and purpose. If any of these
/// changes, a new session is entered.
pub(super) struct CustomerSessions {
    entrance: Arc<RoleEntrance>,
    sessions: SessionCache<(CustomerAccess, Region)>,
}

impl CustomerSessions {
    pub(super) fn new(entrance: Arc<RoleEntrance>, clock: Arc<dyn Clock>) -> Self {
        Self {
            entrance,
            sessions: SessionCache::new(clock),
        }
    }

    /// The session for `access` through the STS of `region`. It is named after the request that entered it.
    pub(super) async fn session(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<Arc<Session>, AccessError> {
        let enter = async {
            let entered_at = self.sessions.now();
            let name = RoleSessionName::new(&access.vault_id, &context.request_id);
            let terms = agreed_terms(access, &name);
            let credentials = self.entrance.enter_from_access_role(context, region, &terms).await?;
            Ok(Session::new(credentials, name.as_str().to_owned(), entered_at))
        };
        self.sessions.held_or_entered((access.clone(), region), enter).await
    }

    /// Removes a session that KMS did not accept, so that the next call enters a new one.
    pub(super) async fn forget(&self, access: &CustomerAccess, region: Region, session: &Arc<Session>) {
        self.sessions.forget(&(access.clone(), region), session).await;
    }
}

/// How the customer's role is entered: with the workspace's id as external id, and limited to the actions and the key
/// that the access needs.
pub(super) fn agreed_terms<'a>(access: &'a CustomerAccess, name: &'a RoleSessionName) -> AssumeRoleTerms<'a> {
    AssumeRoleTerms {
        role_arn: &access.role_arn,
        session_name: name.as_str(),
        external_id: Some(access.workspace_id.as_str()),
        session_policy: Some(session_policy(access.purpose.actions(), &access.key)),
    }
}
