//! The setup kit: all files of `customer-setup/`, filled in for one workspace and ready to run.
//!
//! The files are compiled in, so customers get exactly what the repository tests. A kit depends only on the workspace
//! id, the service's access role and the place where the service keeps the templates.

mod commands;
mod fill_in;
mod quick_create;
mod shell;
mod steps;

use serde::Serialize;
use serde_json::Value;

use crate::customer::policies;
use crate::error::Error;
use crate::values::{RoleArn, WorkspaceId};

pub use commands::Command;
pub use quick_create::{QuickCreateLinks, TemplatesUrl};

use fill_in::{fill_in, with_default};
use shell::quoted;

const KEY_AND_ROLE: &str = include_str!("../../../../customer-setup/key-and-role.yaml");
const REPLICA: &str = include_str!("../../../../customer-setup/replica.yaml");
const SETUP_SCRIPT: &str = include_str!("../../../../customer-setup/setup.sh");

/// What a customer's security admin needs to create the key, its replica and the role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetupKit {
    /// The external id that the role's trust policy requires: the workspace id.
    pub external_id: String,
    /// The service's account.
    pub service_account_id: String,
    /// The only principal that the role trusts.
    pub access_role_arn: String,
    /// The trust policy of the role, complete.
    pub trust_policy: Value,
    /// The inline policy for a role that is created by hand. The account and the key are still to be filled in.
    pub inline_policy: Value,
    /// The CloudFormation templates.
    pub cloudformation: CloudFormationTemplates,
    /// The commands that create everything, the vault included, to be run in this order in a folder with the templates.
    pub commands: [Command; 3],
    /// The first two commands as one script, which prints the third.
    pub setup_script: String,
    /// Links that do the same in the AWS console, where the service offers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_create_links: Option<QuickCreateLinks>,
    /// The whole set-up explained, in Markdown.
    pub steps: String,
}

/// The templates, with this workspace's values as the defaults of their parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudFormationTemplates {
    /// The key and the role, for us-east-2.
    pub key_and_role: String,
    /// The replica, for us-west-2.
    pub replica: String,
}

/// A file of the kit.
#[derive(Clone, Debug, PartialEq)]
pub struct KitFile {
    /// Its name in the kit's folder.
    pub name: &'static str,
    /// Its content.
    pub text: String,
    /// Whether it is to be executed.
    pub executable: bool,
}

/// The parameters of `key-and-role.yaml` that the service fills in, by name.
struct ServiceParameters<'a>([(&'static str, &'a str); 3]);

impl SetupKit {
    /// The kit of one workspace.
    ///
    /// # Errors
    /// [`Error::Internal`] when a file of `customer-setup/` lacks a placeholder or a parameter, or has an unknown
    /// placeholder.
    pub fn new(
        workspace_id: &WorkspaceId,
        access_role: &RoleArn,
        templates_url: Option<&TemplatesUrl>,
    ) -> Result<Self, Error> {
        let parameters = ServiceParameters([
            ("ServiceAccountId", access_role.account_id()),
            ("ExternalId", workspace_id.as_str()),
            ("AccessRoleName", access_role.name()),
        ]);
        let mut key_and_role = KEY_AND_ROLE.to_owned();
        for (parameter, value) in parameters.0 {
            key_and_role = with_default(&key_and_role, parameter, value)?;
        }
        let mut kit = Self {
            external_id: workspace_id.as_str().to_owned(),
            service_account_id: access_role.account_id().to_owned(),
            access_role_arn: access_role.as_str().to_owned(),
            trust_policy: policies::trust_policy(access_role, workspace_id),
            inline_policy: policies::key_policy_to_fill_in(),
            cloudformation: CloudFormationTemplates {
                key_and_role,
                replica: REPLICA.to_owned(),
            },
            commands: commands::all(&parameters),
            setup_script: fill_in(
                SETUP_SCRIPT,
                &[
                    ("service_account_id", &quoted(access_role.account_id())),
                    ("external_id", &quoted(workspace_id.as_str())),
                    ("access_role_name", &quoted(access_role.name())),
                    ("create_vault", commands::CREATE_VAULT_FROM_FILE),
                ],
            )?,
            quick_create_links: templates_url.map(|url| url.links(&parameters)),
            steps: String::new(),
        };
        kit.steps = steps::of(&kit)?;
        Ok(kit)
    }

    /// The kit's files, all in one folder.
    pub fn files(&self) -> [KitFile; 6] {
        let file = |name, text: String| KitFile {
            name,
            text,
            executable: false,
        };
        [
            file("STEPS.md", self.steps.clone()),
            KitFile {
                executable: true,
                ..file("setup.sh", self.setup_script.clone())
            },
            file("key-and-role.yaml", self.cloudformation.key_and_role.clone()),
            file("replica.yaml", self.cloudformation.replica.clone()),
            file("trust-policy.json", format!("{:#}\n", self.trust_policy)),
            file("inline-policy.json", format!("{:#}\n", self.inline_policy)),
        ]
    }
}
