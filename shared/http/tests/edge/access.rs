//! Who may do what: each cell of docs/access.md, each way in which a claim can be wrong, and each id of another workspace.
//!
//! The operations and who may are those of the table; the calls are the sample events.

use latchkey_core::caller::WorkspaceRole;
use latchkey_core::operations::Operation;
use serde_json::{Value, json};

use crate::contract;
use crate::service::{ACCOUNT, Answer, KEY_ID, ROLE_ARN, Service, WORKSPACE, admin, api_event, vault_body};

/// They name no id of ours.
const NAME_NO_ID: [Operation; 3] = [Operation::CreateVault, Operation::ListVaults, Operation::GetSetupKit];

const DISABLED_VAULT_NAME: &str = "Disabled";

/// What a caller needs to know to make a call that succeeds.
pub struct Known {
    vault_id: String,
    disabled_vault_id: String,
    sealed_item: String,
}

impl Known {
    pub async fn of(service: &Service) -> Self {
        let disabled = service
            .create_vault(
                &admin(),
                &vault_body(json!({ "name": DISABLED_VAULT_NAME })).to_string(),
            )
            .await;
        let disabled_vault_id = disabled.body["vault_id"].as_str().expect("an id").to_owned();
        service.disable_vault(&admin(), &disabled_vault_id, "").await;
        Self {
            vault_id: service.with_vault().await,
            disabled_vault_id,
            sealed_item: service
                .sealed("account-1/password", b"secret", &json!({ "field": "password" }))
                .await,
        }
    }
}

/// A call of an operation that succeeds for whoever may make it: its sample event.
pub async fn call(service: &Service, operation: Operation, caller: &Value, known: &Known) -> Answer {
    let mut event = contract::sample_event(operation, |placeholder| match placeholder {
        "customer.workspace_id" => WORKSPACE,
        "customer.aws_account_id" => ACCOUNT,
        "customer.kms_key_id" => KEY_ID,
        "customer.aws_role_arn" => ROLE_ARN,
        "vault_id" => &known.vault_id,
        "disabled_vault_id" => &known.disabled_vault_id,
        "disabled_vault_name" => DISABLED_VAULT_NAME,
        "sealed_item" => &known.sealed_item,
        other => panic!("the sample event of {operation:?} has ${{{other}}}"),
    });
    event["requestContext"]["authorizer"]["jwt"]["claims"] = caller.clone();
    service.invoke(operation, &event).await
}

/// The problem that stands where the operation puts it, without the request's id.
fn problem(answer: &Answer) -> Option<Value> {
    let error = &answer.body["items"][0]["error"];
    let mut problem = if answer.status < 400 { error } else { &answer.body }.clone();
    problem.as_object_mut()?.remove("request_id").expect("a request id");
    Some(problem)
}

fn claims(workspace_id: &str, role: &str) -> Value {
    json!({ "workspace_id": workspace_id, "role": role, "sub": "user-1" })
}

#[tokio::test]
async fn each_role_may_what_the_matrix_says() {
    let no_roles = [
        "Owner",
        "ADMIN",
        "admin ",
        " owner",
        "super-admin",
        "root",
        "owner,admin",
        "[owner]",
        " ",
        "\u{430}dmin",
    ];
    for operation in contract::operations() {
        let name = operation.name();
        for role in ["owner", "super_admin", "admin", "member"].into_iter().chain(no_roles) {
            let service = Service::new();
            let known = Known::of(&service).await;
            let calls = service.customer.calls();
            let answer = call(&service, operation, &claims(WORKSPACE, role), &known).await;
            if operation.admits(WorkspaceRole::from_claim(role)) {
                assert!((200..300).contains(&answer.status), "{name} as {role}: {}", answer.text);
                assert_eq!(problem(&answer), None, "{name} as {role}");
            } else {
                assert_eq!(
                    (answer.status, answer.problem()),
                    (403, "forbidden"),
                    "{name} as {role}"
                );
                assert_eq!(service.customer.calls(), calls, "{name} as {role}: refused before KMS");
            }
        }
    }
}

/// Whoever may not do a thing is told so, whatever else is wrong with the request.
#[tokio::test]
async fn the_role_is_asked_for_before_anything_else() {
    let service = Service::new();
    let refused = contract::operations().filter(|operation| !operation.admits(WorkspaceRole::Member));
    let mut events = Vec::new();
    for operation in refused {
        for (vault_id, body) in [
            (Some("no vault id"), "{"),
            (None, "\u{0}"),
            (Some("vlt_1"), r#"{"x":[]}"#),
        ] {
            let mut event = api_event(&claims(WORKSPACE, "member"), vault_id, body);
            event["headers"] = json!({ "if-match": "no tag" });
            events.push((operation, event));
        }
    }
    assert!(events.len() >= 3 * 6);
    for (operation, event) in events {
        let answer = service.invoke(operation, &event).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (403, "forbidden"),
            "{}: {event}",
            operation.name()
        );
    }
}

#[tokio::test]
async fn a_claim_that_is_not_text_of_its_form_names_nobody() {
    let service = Service::new();
    let known = Known::of(&service).await;
    let calls = service.customer.calls();
    let of_any = [
        json!(null),
        json!(""),
        json!(7),
        json!(true),
        json!([]),
        json!({ "a": 1 }),
    ];
    let of_workspace = [
        json!([WORKSPACE]),
        json!(format!("[{WORKSPACE}]")),
        json!(format!(" {WORKSPACE}")),
        json!(format!("{WORKSPACE}\n")),
        json!(format!("{WORKSPACE}\u{0}")),
        json!("w"),
        json!("w".repeat(129)),
    ];
    let of_role = [json!(["admin"]), json!({ "admin": true })];
    let of_subject = [json!("s".repeat(257)), json!("a\nb"), json!("\u{0}"), json!(["user-1"])];
    for operation in contract::operations() {
        for (name, own) in [
            ("workspace_id", &of_workspace[..]),
            ("role", &of_role),
            ("sub", &of_subject),
        ] {
            let mut missing = claims(WORKSPACE, "owner");
            missing.as_object_mut().expect("an object").remove(name);
            let wrong = of_any.iter().chain(own).map(|value| {
                let mut claims = claims(WORKSPACE, "owner");
                claims[name] = value.clone();
                claims
            });
            for caller in wrong.chain([missing]) {
                let answer = call(&service, operation, &caller, &known).await;
                assert_eq!(
                    (answer.status, answer.problem()),
                    (401, "unauthenticated"),
                    "{operation:?}: {caller}"
                );
                assert_eq!(answer.audit.get("workspace_id"), None, "{caller}");
            }
        }
    }
    assert_eq!(service.customer.calls(), calls, "nobody gets as far as KMS");
}

/// What a stranger is told of an id that is somebody else's, and of one that is nobody's: one answer.
#[tokio::test]
async fn a_foreign_id_gets_the_answer_of_one_that_never_was() {
    let service = Service::new();
    let foreign = Known::of(&service).await;
    let missing = Known {
        vault_id: "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r".to_owned(),
        disabled_vault_id: "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r".to_owned(),
        ..Known::of(&service).await
    };
    let calls = service.customer.calls();
    let mut answers = Vec::new();
    for operation in contract::operations() {
        if NAME_NO_ID.contains(&operation) {
            continue;
        }
        for role in WorkspaceRole::ALL.into_iter().filter(|role| operation.admits(*role)) {
            for known in [&foreign, &missing] {
                let stranger = claims("ws-other", &role.to_string());
                let answer = call(&service, operation, &stranger, known).await;
                let place = format!("{operation:?} as {role}: {}", answer.text);
                let problem = problem(&answer).unwrap_or_else(|| panic!("{place}"));
                assert_eq!(problem["status"], 404, "{place}");
                answers.push((problem.to_string(), place));
            }
        }
    }
    assert!(answers.len() >= 2 * 10, "{}", answers.len());
    for (problem, place) in &answers {
        assert_eq!(*problem, answers[0].0, "{place}");
    }
    assert_eq!(service.customer.calls(), calls, "KMS is not asked");
}

#[tokio::test]
async fn workspaces_that_differ_in_case_see_nothing_of_each_other() {
    let service = Service::new();
    let known = Known::of(&service).await;
    for workspace in ["WS-ACME-0001", "Ws-acme-0001", "ws-acme-0001-", "ws-acme-000"] {
        for operation in contract::operations() {
            let answer = call(&service, operation, &claims(workspace, "owner"), &known).await;
            if operation == Operation::GetSetupKit {
                assert_eq!(answer.body["external_id"], workspace, "each has a kit of its own");
                continue;
            }
            if operation == Operation::ListVaults {
                assert_eq!(answer.body, json!({ "vaults": [] }), "{workspace}");
                continue;
            }
            // Creating names no id: there, it is the customer's role that knows no such external id.
            let expected = if operation == Operation::CreateVault { 422 } else { 404 };
            let problem = problem(&answer).unwrap_or_else(|| panic!("{operation:?} as {workspace}: {}", answer.text));
            assert_eq!(problem["status"], expected, "{operation:?} as {workspace}: {problem}");
        }
        let body = json!({ "items": [{ "item_id": "i", "plaintext": "" }] }).to_string();
        let answer = service.encrypt_item(&claims(workspace, "owner"), &body).await;
        assert_eq!(
            answer.problem(),
            "no-default-vault",
            "the default vault is {WORKSPACE}'s"
        );
    }
}

/// Composed, decomposed, full-width, Cyrillic, invisible: no two ids can look alike, for none of these is one.
#[tokio::test]
async fn an_id_beyond_ascii_is_no_workspace() {
    let service = Service::new();
    let known = Known::of(&service).await;
    let lookalikes = [
        "ws-\u{e9}",
        "ws-e\u{301}",
        "\u{ff57}\u{ff53}-acme-0001",
        "ws-\u{430}cme-0001",
        "ws-acme-0001\u{200b}",
        "ws\u{2010}acme-0001",
        "ws-acme-000\u{ff11}",
        "ws-acme-0001\u{feff}",
    ];
    for workspace in lookalikes {
        for operation in contract::operations() {
            let answer = call(&service, operation, &claims(workspace, "owner"), &known).await;
            assert_eq!(
                (answer.status, answer.problem()),
                (401, "unauthenticated"),
                "{operation:?}: {workspace}"
            );
        }
    }
}
