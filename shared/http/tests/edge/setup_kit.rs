//! The setup kit, as JSON and as a zip.

use std::io::{Cursor, Read};

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64, Encoding};
use latchkey_core::values::Region;
use latchkey_http::endpoints::GetSetupKitEndpoint;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::service::{Service, WORKSPACE, access_role, admin, api_event, invoke, member, respond};

fn endpoint() -> GetSetupKitEndpoint {
    GetSetupKitEndpoint(Service::new().operations(Region::UsEast2).get_setup_kit())
}

fn asking_for(media_type: &str, claims: &Value) -> Value {
    let mut event = api_event(claims, None, "");
    event["headers"] = json!({ "accept": media_type });
    event
}

async fn zip_of(claims: &Value) -> Vec<u8> {
    let (response, _) = respond(&endpoint(), &asking_for("application/zip", claims)).await;
    assert_eq!(response.status_code, 200);
    assert!(response.is_base64_encoded);
    assert_eq!(response.headers["content-type"], "application/zip");
    assert_eq!(
        response.headers["content-disposition"],
        "attachment; filename=\"latchkey-setup-kit.zip\""
    );
    Base64::decode_vec(&response.body).expect("base64")
}

#[tokio::test]
async fn json_is_the_answer_unless_a_zip_is_preferred() {
    for accept in ["", "*/*", "application/json", "text/html"] {
        let (response, _) = respond(&endpoint(), &asking_for(accept, &admin())).await;
        assert!(!response.is_base64_encoded);
        assert_eq!(response.headers["content-type"], "application/json");
        let kit: Value = serde_json::from_str(&response.body).expect("JSON");
        assert_eq!(kit["external_id"], WORKSPACE);
        assert_eq!(kit["access_role_arn"], access_role().as_str());
        assert_eq!(kit["commands"].as_array().map(Vec::len), Some(3));
        assert_eq!(kit.get("quick_create_links"), None);
    }
}

#[tokio::test]
async fn the_zip_holds_what_the_json_says_and_has_the_digest_that_it_tells() {
    let kit = invoke(&endpoint(), &api_event(&admin(), None, "")).await.body;
    let zip = zip_of(&admin()).await;
    let hex: String = digest(&SHA256, &zip)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(kit["zip_sha256"], hex);
    assert_eq!(zip, zip_of(&admin()).await, "the same kit is the same bytes");

    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut text = |name: &str| {
        let mut text = String::new();
        let mut file = archive.by_name(&format!("latchkey-setup-kit/{name}")).expect("a file");
        file.read_to_string(&mut text).expect("text");
        (text, file.unix_mode().map(|mode| mode & 0o777))
    };
    assert_eq!(
        text("STEPS.md"),
        (kit["steps"].as_str().expect("text").to_owned(), Some(0o644))
    );
    assert_eq!(
        text("setup.sh"),
        (kit["setup_script"].as_str().expect("text").to_owned(), Some(0o755))
    );
    assert_eq!(
        json!(text("key-and-role.yaml").0),
        kit["cloudformation"]["key_and_role"]
    );
    assert_eq!(json!(text("replica.yaml").0), kit["cloudformation"]["replica"]);
    for name in ["trust", "inline"] {
        let policy: Value = serde_json::from_str(&text(&format!("{name}-policy.json")).0).expect("JSON");
        assert_eq!(policy, kit[format!("{name}_policy")]);
    }
    assert_eq!(archive.len(), 6);
}

#[tokio::test]
async fn a_kit_is_of_the_tokens_workspace_alone() {
    let mut claims = admin();
    claims["workspace_id"] = json!("ws-of-somebody-else");
    let mut event = api_event(
        &claims,
        Some(WORKSPACE),
        &json!({ "workspace_id": WORKSPACE }).to_string(),
    );
    event["queryStringParameters"] = json!({ "workspace_id": WORKSPACE, "external_id": WORKSPACE });
    let answer = invoke(&endpoint(), &event).await;
    assert_eq!(answer.body["external_id"], "ws-of-somebody-else");
    assert!(!answer.text.contains(WORKSPACE));
    assert_eq!(answer.audit["workspace_id"], "ws-of-somebody-else");
    assert_eq!(answer.audit["operation"], "get-setup-kit");
}

#[tokio::test]
async fn a_member_and_a_stranger_get_none_in_either_form() {
    for accept in ["application/json", "application/zip"] {
        let refused = invoke(&endpoint(), &asking_for(accept, &member())).await;
        assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
        let refused = invoke(&endpoint(), &asking_for(accept, &json!({}))).await;
        assert_eq!((refused.status, refused.problem()), (401, "unauthenticated"));
        assert_eq!(refused.content_type, "application/problem+json");
    }
}
