//! Where a denial most likely comes from.
//!
//! AWS does not say why it answers `AccessDenied`. But a validation tries four actions in two Regions, and what else is
//! allowed narrows the cause down: the role's policies are global and name actions and ARNs, while the key in each
//! Region has its own key policy, which AWS does not synchronise.

use crate::customer::{AccessError, CustomerAccess, Refusal, policies};
use crate::findings::remedies;
use crate::values::Region;

/// What is known about one action in one Region.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Allowed,
    Denied,
    /// Not tried, not answered, or refused for a reason other than a policy.
    Unknown,
}

/// What is known about the four actions in one Region.
pub(crate) struct Permissions {
    pub(crate) describe_key: Permission,
    pub(crate) get_public_key: Permission,
    pub(crate) encrypt: Permission,
    pub(crate) decrypt: Permission,
}

impl Permissions {
    pub(crate) const UNKNOWN: Self = Self {
        describe_key: Permission::Unknown,
        get_public_key: Permission::Unknown,
        encrypt: Permission::Unknown,
        decrypt: Permission::Unknown,
    };

    const fn all(&self) -> [Permission; 4] {
        [self.describe_key, self.get_public_key, self.encrypt, self.decrypt]
    }

    fn of_action(&self, action: &str) -> Permission {
        match action {
            "kms:DescribeKey" => self.describe_key,
            "kms:GetPublicKey" => self.get_public_key,
            "kms:Encrypt" => self.encrypt,
            "kms:Decrypt" => self.decrypt,
            _ => Permission::Unknown,
        }
    }

    fn any_allowed(&self) -> bool {
        self.all().contains(&Permission::Allowed)
    }

    /// Whether every answer was a denial. `kms:Decrypt` may be unknown, because there may have been no ciphertext to
    /// try it with.
    fn all_denied(&self) -> bool {
        [self.describe_key, self.get_public_key, self.encrypt] == [Permission::Denied; 3]
            && self.decrypt != Permission::Allowed
    }
}

pub(crate) fn permission<T>(answer: &Result<T, AccessError>) -> Permission {
    match answer {
        Ok(_) => Permission::Allowed,
        Err(AccessError::Refused(Refusal::AccessDenied)) => Permission::Denied,
        // KMS tried to decrypt the ciphertext, so the action is allowed.
        Err(AccessError::Refused(Refusal::InvalidCiphertext)) => Permission::Allowed,
        Err(AccessError::Refused(_) | AccessError::Outage(_) | AccessError::ServiceMisconfigured) => {
            Permission::Unknown
        }
    }
}

/// An action that is denied in a Region, and what the answers for the other actions suggest.
pub(crate) struct Denial<'a> {
    access: &'a CustomerAccess,
    region: Region,
    action: &'static str,
    pattern: Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// Nothing is allowed in either Region.
    NothingAnywhere,
    /// Nothing is allowed here, but something is in the other Region.
    NothingHere,
    /// This action is denied in both Regions, while others are allowed.
    ActionAnywhere,
    /// This action is denied here and allowed in the other Region.
    ActionHere,
    /// Too little is known.
    Unclear,
}

impl<'a> Denial<'a> {
    pub(crate) fn new(
        access: &'a CustomerAccess,
        region: Region,
        action: &'static str,
        here: &Permissions,
        there: &Permissions,
    ) -> Self {
        let pattern = if here.all_denied() && there.all_denied() {
            Pattern::NothingAnywhere
        } else if here.all_denied() && there.any_allowed() {
            Pattern::NothingHere
        } else if there.of_action(action) == Permission::Allowed {
            Pattern::ActionHere
        } else if there.of_action(action) == Permission::Denied && (here.any_allowed() || there.any_allowed()) {
            Pattern::ActionAnywhere
        } else {
            Pattern::Unclear
        };
        Self {
            access,
            region,
            action,
            pattern,
        }
    }

    /// A denial that a live call met. Nothing else is known.
    pub(crate) const fn alone(access: &'a CustomerAccess, region: Region, action: &'static str) -> Self {
        Self {
            access,
            region,
            action,
            pattern: Pattern::Unclear,
        }
    }

    /// What is denied, what most likely denies it, and what it means for the items.
    pub(crate) fn message(&self) -> String {
        let (action, region, other) = (self.action, self.region, self.region.other());
        let what = match self.pattern {
            Pattern::NothingAnywhere => format!(
                "{action} is denied in {region}, and so is everything else that was tried on the key in both Regions. Most \
                 likely the role has no policy for this key."
            ),
            Pattern::NothingHere => format!(
                "{action} is denied in {region}, and so is everything else that was tried on the key there, while {other} \
                 allows it to the same role. Most likely the role's inline policy does not list the key's ARN in {region}, \
                 or the key policy in {region} does not let the account's IAM policies decide."
            ),
            Pattern::ActionAnywhere => format!(
                "{action} is denied in {region} as in {other}, while other actions on the key are allowed. Most likely the \
                 role's inline policy does not allow this action."
            ),
            Pattern::ActionHere => format!(
                "{action} is denied in {region} and allowed in {other}. Most likely the key policy in {region} differs: each \
                 Region's key has its own, and AWS does not synchronise them."
            ),
            Pattern::Unclear => {
                format!("{action} is denied in {region}. AWS does not tell which policy denies it.")
            }
        };
        format!("{what} {}", self.meaning())
    }

    fn meaning(&self) -> String {
        let region = self.region;
        match self.action {
            "kms:Decrypt" => format!(
                "While it is denied, items cannot be opened through {region}. They are locked, not lost: they open again \
                 once the action is allowed."
            ),
            "kms:DescribeKey" => format!(
                "While it is denied, it cannot be seen whether the key in {region} is there, enabled or scheduled for \
                 deletion. No data is lost by the denial, and opening items does not need this action."
            ),
            _ => "No data is lost, and opening items does not need this action. It is needed to prove that the key is the \
                  right one."
                .to_owned(),
        }
    }

    /// What to look at and to change, the most likely cause first. The policy text comes last.
    pub(crate) fn remedy(&self) -> String {
        let (access, action, region) = (self.access, self.action, self.region);
        let (role, here) = (&access.role_arn, access.key.arn(region));
        let both_key_policies = || {
            let [east, west] = Region::ALL.map(|region| remedies::show_key_policy(access, region));
            format!("{east} and {west}")
        };
        let default_statement = format!(
            "must have the default statement (Sid \"Enable IAM User Permissions\": Allow kms:* on * to \
             arn:aws:iam::{}:root) and no Deny that meets the role.",
            access.key.account_id
        );
        let steps = match self.pattern {
            Pattern::NothingAnywhere => format!(
                "Make the policy below the inline policy of the role {role}, so that it allows {action} on the key in both \
                 Regions. If it is so already, look at the key policy in each Region: {}. Each {default_statement} If that \
                 is so as well: {}",
                both_key_policies(),
                self.simulate()
            ),
            Pattern::NothingHere => format!(
                "See that the inline policy of the role {role} lists {here} under Resource, as the policy below does. If it \
                 does, look at the key policy in {region}: {}. It {default_statement} If that is so as well: {}",
                remedies::show_key_policy(access, region),
                self.simulate()
            ),
            Pattern::ActionAnywhere => format!(
                "Make the policy below the inline policy of the role {role}, so that it allows {action} on the key in both \
                 Regions. If it is so already, something denies the action: {} If IAM allows it, look for a Deny in the key \
                 policies: {}.",
                self.simulate(),
                both_key_policies()
            ),
            Pattern::ActionHere => format!(
                "Compare the key policies of the two Regions and look for a Deny in the key policy in {region}: {}. It \
                 {default_statement} If the two are alike, see that the inline policy of the role {role} allows {action} on \
                 {here}, as the policy below does. If it does: {}",
                both_key_policies(),
                self.simulate()
            ),
            Pattern::Unclear => format!(
                "See that the policy below is the inline policy of the role {role}. If it is, look at the key policy in \
                 {region}: {}. It {default_statement} If that is so as well: {}",
                remedies::show_key_policy(access, region),
                self.simulate()
            ),
        };
        format!("{steps} The inline policy: {}", policies::key_policy(&access.key))
    }

    fn simulate(&self) -> String {
        format!(
            "ask IAM whether another policy of the role, its permissions boundary or a service control policy denies it: \
             aws iam simulate-principal-policy --policy-source-arn {} --action-names {} --resource-arns {}.",
            self.access.role_arn,
            self.action,
            self.access.key.arn(self.region)
        )
    }
}
