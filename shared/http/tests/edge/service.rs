//! The service in one process, called the way Lambda calls it.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use latchkey_core::customer::ManagedKey;
use latchkey_core::operations::{self, GivenPorts, Operation, ServiceSettings};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{AwsAccountId, CustomerKey, KmsKeyId, Region, RequestId, RoleArn, WorkspaceId};
use latchkey_http::endpoints::{
    CreateVaultEndpoint, DecryptItemEndpoint, DisableVaultEndpoint, EnableVaultEndpoint, EncryptItemEndpoint,
    ListVaultsEndpoint, ReassignItemEndpoint, UpdateVaultEndpoint, ValidateVaultEndpoint,
};
use latchkey_http::event::ClaimNames;
use latchkey_http::process::{AnyEndpoint, endpoint_of};
use latchkey_http::{Deployment, Endpoint, Response};
use latchkey_in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RsaKeyPair};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::contract;
use crate::shapes;

pub const WORKSPACE: &str = "ws-acme-0001";
pub const ACCOUNT: &str = "222222222222";
pub const KEY_ID: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";
pub const ROLE_ARN: &str = "arn:aws:iam::222222222222:role/latchkey";

/// An answer, as API Gateway passes it on.
pub struct Answer {
    /// The last line of the log: the request's line of the audit log.
    pub audit: Value,
    /// The lines before it.
    pub log: Vec<Value>,
    pub status: u64,
    pub content_type: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The last part of the problem's type.
    pub fn problem(&self) -> &str {
        self.body["type"]
            .as_str()
            .and_then(|kind| kind.strip_prefix("urn:latchkey:problem:"))
            .unwrap_or_default()
    }

    pub fn etag(&self) -> Option<&str> {
        self.headers.get("etag").map(String::as_str)
    }
}

pub struct Service {
    pub records: InMemoryRecords,
    pub customer: InMemoryCustomer,
    pub clock: FakeClock,
    pub event_bus: InMemoryEventBus,
    pub managed_key: Option<ManagedKey>,
}

impl Service {
    pub fn new() -> Self {
        Self::of(WORKSPACE)
    }

    /// A service whose one key and role are for this workspace.
    pub fn of(workspace: &str) -> Self {
        static KEY_PAIR: OnceLock<RsaKeyPair> = OnceLock::new();
        let key_pair = KEY_PAIR.get_or_init(|| RsaKeyPair::generate().expect("a key pair"));
        let key = CustomerKey {
            account_id: AwsAccountId::parse(ACCOUNT).expect("valid"),
            key_id: KmsKeyId::parse(KEY_ID).expect("valid"),
        };
        let role = RoleArn::parse(ROLE_ARN).expect("valid");
        let workspace = WorkspaceId::parse(workspace).expect("valid");
        Self {
            records: InMemoryRecords::new(),
            customer: InMemoryCustomer::new(key, key_pair, role, workspace),
            clock: FakeClock::at(Timestamp::UNIX_EPOCH),
            event_bus: InMemoryEventBus::default(),
            managed_key: None,
        }
    }

    /// The operations of an execution environment that holds nothing yet.
    pub fn operations(
        &self,
        region: Region,
    ) -> operations::Service<GivenPorts<InMemoryRecords, InMemoryCustomer, FakeClock, InMemoryEventBus>> {
        operations::Service {
            ports: GivenPorts {
                store: self.records.clone(),
                customer_keys: self.customer.clone(),
                clock: self.clock.clone(),
                announcer: self.event_bus.clone(),
            },
            settings: ServiceSettings {
                managed_key: self.managed_key.clone(),
                ..ServiceSettings::new(region, access_role())
            },
        }
    }

    fn here(&self) -> operations::Service<GivenPorts<InMemoryRecords, InMemoryCustomer, FakeClock, InMemoryEventBus>> {
        self.operations(Region::UsEast2)
    }

    /// Any operation, with this event.
    pub async fn invoke(&self, operation: Operation, event: &Value) -> Answer {
        let endpoint = endpoint_of(operation, &self.here());
        let answer = parsed(respond_by(&*endpoint, &shapes::current().of(event).to_string()).await);
        contract::hold_call(operation, event, &answer);
        answer
    }

    pub async fn create_vault(&self, caller: &Value, body: &str) -> Answer {
        invoke(&self.create_vault_endpoint(), &api_event(caller, None, body)).await
    }

    pub fn create_vault_endpoint(&self) -> impl Endpoint {
        CreateVaultEndpoint::from(&self.here())
    }

    pub async fn validate_vault(&self, caller: &Value, vault_id: &str, body: &str) -> Answer {
        invoke(
            &self.validate_vault_endpoint(),
            &api_event(caller, Some(vault_id), body),
        )
        .await
    }

    pub fn validate_vault_endpoint(&self) -> impl Endpoint {
        ValidateVaultEndpoint::from(&self.here())
    }

    pub async fn disable_vault(&self, caller: &Value, vault_id: &str, body: &str) -> Answer {
        let endpoint = DisableVaultEndpoint::from(&self.here());
        invoke(&endpoint, &api_event(caller, Some(vault_id), body)).await
    }

    /// As [`Self::disable_vault`], of a vault with this ETag.
    pub async fn disable_vault_if(&self, caller: &Value, vault_id: &str, if_match: &str) -> Answer {
        let endpoint = DisableVaultEndpoint::from(&self.here());
        let event = with_if_match(api_event(caller, Some(vault_id), ""), Some(if_match));
        invoke(&endpoint, &event).await
    }

    pub async fn enable_vault(&self, caller: &Value, vault_id: &str, body: &str, if_match: Option<&str>) -> Answer {
        let endpoint = EnableVaultEndpoint::from(&self.here());
        let event = with_if_match(api_event(caller, Some(vault_id), body), if_match);
        invoke(&endpoint, &event).await
    }

    pub async fn update_vault(&self, caller: &Value, vault_id: &str, body: &str, if_match: Option<&str>) -> Answer {
        let endpoint = UpdateVaultEndpoint::from(&self.here());
        let event = with_if_match(api_event(caller, Some(vault_id), body), if_match);
        invoke(&endpoint, &event).await
    }

    /// One vault, or the list of them.
    pub async fn list_vaults(&self, caller: &Value, vault_id: Option<&str>, query: &Value) -> Answer {
        let endpoint = ListVaultsEndpoint::from(&self.here());
        let mut event = api_event(caller, vault_id, "");
        event["routeKey"] = json!(vault_id.map_or("GET /v1/vaults", |_| "GET /v1/vaults/{vault_id}"));
        event["queryStringParameters"] = query.clone();
        invoke(&endpoint, &event).await
    }

    pub async fn encrypt_item(&self, caller: &Value, body: &str) -> Answer {
        invoke(&self.encrypt_item_endpoint(), &api_event(caller, None, body)).await
    }

    pub fn encrypt_item_endpoint(&self) -> impl Endpoint {
        EncryptItemEndpoint::from(&self.here())
    }

    pub async fn reassign_item(&self, caller: &Value, body: &str) -> Answer {
        let endpoint = ReassignItemEndpoint::from(&self.here());
        invoke(&endpoint, &api_event(caller, None, body)).await
    }

    pub async fn decrypt_item(&self, caller: &Value, body: &str) -> Answer {
        invoke(&self.decrypt_item_endpoint(), &api_event(caller, None, body)).await
    }

    pub fn decrypt_item_endpoint(&self) -> impl Endpoint {
        DecryptItemEndpoint::from(&self.operations(Region::UsWest2))
    }

    /// A vault that validates, made the default.
    pub async fn with_vault(&self) -> String {
        let created = self
            .create_vault(&admin(), &vault_body(json!({ "set_as_default": true })).to_string())
            .await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.body["vault_id"].as_str().expect("an id").to_owned()
    }

    /// An item sealed in the default vault.
    pub async fn sealed(&self, item_id: &str, plaintext: &[u8], context: &Value) -> String {
        let plaintext = Base64::encode_string(plaintext);
        let body = json!({ "items": [{ "item_id": item_id, "plaintext": plaintext, "context": context }] });
        let answer = self.encrypt_item(&member(), &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["items"][0]["sealed_item"]
            .as_str()
            .expect("base64")
            .to_owned()
    }
}

/// A managed key that is the customer's of these tests: there is only one.
pub fn managed_key() -> ManagedKey {
    ManagedKey {
        key: CustomerKey {
            account_id: AwsAccountId::parse(ACCOUNT).expect("valid"),
            key_id: KmsKeyId::parse(KEY_ID).expect("valid"),
        },
        role_arn: RoleArn::parse(ROLE_ARN).expect("valid"),
    }
}

pub fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").expect("valid")
}

pub fn admin() -> Value {
    json!({ "workspace_id": WORKSPACE, "role": "admin", "sub": "user-1" })
}

pub fn member() -> Value {
    json!({ "workspace_id": WORKSPACE, "role": "member", "sub": "user-2" })
}

/// The body of a create that succeeds, with some fields changed; `null` takes a field out.
pub fn vault_body(changes: Value) -> Value {
    let mut body = json!({
        "name": "Acme",
        "strategy": "aws_kms",
        "aws_account_id": ACCOUNT,
        "kms_key_id": KEY_ID,
        "aws_role_arn": ROLE_ARN,
    });
    let fields = body.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => fields.remove(name),
            value => fields.insert(name.clone(), value.clone()),
        };
    }
    body
}

pub fn api_event(claims: &Value, vault_id: Option<&str>, body: &str) -> Value {
    let mut event = json!({
        "version": "2.0",
        "requestContext": {
            "requestId": "JKJaXmPLvHcESHA=",
            "http": { "method": "POST", "path": "/" },
            "authorizer": { "jwt": { "claims": claims, "scopes": null } }
        },
        "body": body,
        "isBase64Encoded": false
    });
    if let Some(vault_id) = vault_id {
        event["pathParameters"] = json!({ "vault_id": vault_id });
    }
    event
}

fn with_if_match(mut event: Value, if_match: Option<&str>) -> Value {
    if let Some(if_match) = if_match {
        event["headers"] = json!({ "if-match": if_match });
    }
    event
}

pub fn deployment() -> Deployment {
    Deployment {
        region: Region::UsEast2,
        stage: "production".into(),
        claim_names: ClaimNames {
            workspace_id: "workspace_id".into(),
            role: "role".into(),
            subject: "sub".into(),
        },
        rest_claims_place: shapes::current().rest_claims_place(),
    }
}

/// What Lambda gets, and the log.
pub async fn respond<E: Endpoint>(endpoint: &E, event: &Value) -> (Response, Vec<u8>) {
    respond_by(endpoint, &shapes::current().of(event).to_string()).await
}

/// Of an event that may be no JSON that serde_json would write.
async fn respond_by(endpoint: &dyn AnyEndpoint, event: &str) -> (Response, Vec<u8>) {
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
    let payload = RawValue::from_string(event.to_owned()).expect("JSON");
    let mut log = Vec::new();
    let response = endpoint.answer(&deployment(), &context, payload, &mut log).await;
    (response, log)
}

pub async fn invoke<E: Endpoint>(endpoint: &E, event: &Value) -> Answer {
    let answer = invoke_made_up(endpoint, event).await;
    contract::hold_call(E::OPERATION, event, &answer);
    answer
}

/// As [`invoke`], of an endpoint that is made up for a test and need not answer as its operation does.
pub async fn invoke_made_up<E: Endpoint>(endpoint: &E, event: &Value) -> Answer {
    parsed(respond(endpoint, event).await)
}

/// As [`invoke_made_up`], with an event that may be no JSON that serde_json would write, in the shape that it is in.
pub async fn invoke_raw<E: Endpoint>(endpoint: &E, event: &str) -> Answer {
    parsed(respond_by(endpoint, event).await)
}

/// The answer, with each line of the log held to its schema.
fn parsed((response, log): (Response, Vec<u8>)) -> Answer {
    let lines = core::str::from_utf8(&log).expect("text").lines();
    let mut log: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let text = response.body.to_string();
    log.iter().for_each(contract::hold_line);
    let headers = response.headers.iter();
    Answer {
        audit: log.pop().expect("a line"),
        log,
        status: response.status_code.into(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        content_type: response.headers.get("content-type").cloned().unwrap_or_default(),
        body: serde_json::from_str(&text).expect("every answer is JSON"),
        text,
    }
}
