//! The calls to a customer's account. Each is recorded for the audit log, whatever its outcome.

use latchkey_core::request::{KeyUse, RequestContext};
use latchkey_core::values::Region;

use crate::failed_call::log_abandoned;

/// A call to the customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    AssumeRole,
    DescribeKey,
    GetPublicKey,
    Encrypt,
    Decrypt,
}

impl Call {
    /// The IAM action.
    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::DescribeKey => "kms:DescribeKey",
            Self::GetPublicKey => "kms:GetPublicKey",
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
        }
    }

    /// The service's name, for the log.
    pub(super) const fn service(self) -> &'static str {
        match self {
            Self::AssumeRole => "STS",
            Self::DescribeKey | Self::GetPublicKey | Self::Encrypt | Self::Decrypt => "KMS",
        }
    }

    /// The action without its service.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::DescribeKey => "DescribeKey",
            Self::GetPublicKey => "GetPublicKey",
            Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
        }
    }
}

/// A call under way. It is recorded when its answer comes, or when it is dropped because its caller has given up: AWS
/// may have carried it out even so.
pub(super) struct CallUnderWay<'a> {
    context: &'a RequestContext,
    call: Call,
    key_use: Option<KeyUse>,
}

impl<'a> CallUnderWay<'a> {
    pub(super) fn new(context: &'a RequestContext, call: Call, region: Region, role_session_name: &str) -> Self {
        Self {
            context,
            call,
            key_use: Some(KeyUse {
                action: call.action(),
                region,
                aws_request_id: None,
                role_session_name: role_session_name.to_owned(),
                succeeded: false,
            }),
        }
    }

    pub(super) fn answered(mut self, aws_request_id: Option<&str>, succeeded: bool) {
        if let Some(key_use) = self.key_use.take() {
            self.context.record_key_use(KeyUse {
                aws_request_id: aws_request_id.map(str::to_owned),
                succeeded,
                ..key_use
            });
        }
    }
}

impl Drop for CallUnderWay<'_> {
    fn drop(&mut self) {
        if let Some(key_use) = self.key_use.take() {
            log_abandoned(self.call.service(), self.call.name(), key_use.region);
            self.context.record_key_use(key_use);
        }
    }
}
