//! The two steps into a customer's role.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use latchkey_core::customer::AccessError;
use latchkey_core::ports::Clock;
use latchkey_core::request::RequestContext;
use latchkey_core::values::{Region, RoleArn};

use super::assume_role::{AssumeRoleTerms, assume_role};
use super::call::{Call, CallUnderWay};
use super::errors::CallFailure;
use super::session_cache::{Session, SessionCache};
use crate::per_region::PerRegion;

/// The name of our sessions in the access role. It names no vault or request, because one session serves many.
const ACCESS_ROLE_SESSION_NAME: &str = "latchkey";

/// Enters roles through the STS of either Region.
pub(super) struct RoleEntrance {
    sts: PerRegion<Client>,
    access_role: RoleArn,
    /// One session from each Region's STS, so that neither Region depends on the other.
    access_role_sessions: SessionCache<Region>,
    entered_ahead: AtomicBool,
}

impl RoleEntrance {
    pub(super) fn new(sts: PerRegion<Client>, access_role: RoleArn, clock: Arc<dyn Clock>) -> Self {
        Self {
            sts,
            access_role,
            access_role_sessions: SessionCache::new(clock),
            entered_ahead: AtomicBool::new(false),
        }
    }

    /// Enters the access role before it is known whether a request needs it, so that the first request does not wait
    /// for it later. After one success it does nothing more: most later requests need no new session.
    pub(super) async fn enter_access_role_ahead(&self, region: Region) {
        // A failure is ignored: the call that needs the session meets it again and reports it.
        if !self.entered_ahead.load(Ordering::Relaxed) && self.access_role_session(region).await.is_ok() {
            self.entered_ahead.store(true, Ordering::Relaxed);
        }
    }

    /// Enters a customer's role from the access role.
    pub(super) async fn enter_from_access_role(
        &self,
        context: &RequestContext,
        region: Region,
        terms: &AssumeRoleTerms<'_>,
    ) -> Result<Credentials, AccessError> {
        let session = self.access_role_session(region).await?;
        let answer = self.enter(context, region, terms, Some(&session)).await;
        if !matches!(
            answer,
            Err(CallFailure::SessionNotAccepted | CallFailure::SessionExpired)
        ) {
            return answer.map_err(AccessError::from);
        }
        self.access_role_sessions.forget(&region, &session).await;
        let session = self.access_role_session(region).await?;
        let answer = self.enter(context, region, terms, Some(&session)).await;
        answer.map_err(AccessError::from)
    }

    /// Enters a customer's role straight from the function's own role. Only a validation tries this; it should fail.
    pub(super) async fn enter_from_own_role(
        &self,
        context: &RequestContext,
        region: Region,
        terms: &AssumeRoleTerms<'_>,
    ) -> Result<Credentials, AccessError> {
        let answer = self.enter(context, region, terms, None).await;
        answer.map_err(AccessError::from)
    }

    async fn enter(
        &self,
        context: &RequestContext,
        region: Region,
        terms: &AssumeRoleTerms<'_>,
        session: Option<&Session>,
    ) -> Result<Credentials, CallFailure> {
        let under_way = CallUnderWay::new(context, Call::AssumeRole, region, terms.session_name);
        let credentials = session.map(|session| &session.credentials);
        let answer = assume_role(self.sts.of(region), region, terms, credentials).await;
        under_way.answered(answer.aws_request_id.as_deref(), answer.credentials.is_ok());
        answer.credentials
    }

    async fn access_role_session(&self, region: Region) -> Result<Arc<Session>, AccessError> {
        let enter = async {
            let entered_at = self.access_role_sessions.now();
            let terms = AssumeRoleTerms {
                role_arn: &self.access_role,
                session_name: ACCESS_ROLE_SESSION_NAME,
                external_id: None,
                session_policy: None,
            };
            let answer = assume_role(self.sts.of(region), region, &terms, None).await;
            match answer.credentials {
                Ok(credentials) => Ok(Session::new(
                    credentials,
                    ACCESS_ROLE_SESSION_NAME.to_owned(),
                    entered_at,
                )),
                Err(CallFailure::Outage(outage)) => Err(AccessError::Outage(outage)),
                // This call uses the function's own credentials, which Lambda keeps valid.
                Err(
                    CallFailure::Refused(_)
                    | CallFailure::SessionNotAccepted
                    | CallFailure::SessionExpired
                    | CallFailure::OurFault,
                ) => {
                    let error_code = answer.error_code.as_deref().unwrap_or("none");
                    tracing::error!(
                        service = "STS",
                        action = "AssumeRole",
                        region = region.code(),
                        error_code,
                        aws_request_id = answer.aws_request_id,
                        "STS refused AssumeRole of the access role ({error_code})"
                    );
                    Err(AccessError::ServiceMisconfigured)
                }
            }
        };
        self.access_role_sessions.held_or_entered(region, enter).await
    }
}
