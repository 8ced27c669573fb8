//! Whatever a request says, and however much of it there is, it gets a plain 4xx, and what is allocated for it, at a time and
//! in all, is bounded by a multiple of its length. Nothing can be copied again and again, or made of little, that is not
//! allocated; so the second bound is one on time, too.
//!
//! A test binary of its own with a single test: the allocator counts for the whole process.

#![allow(unsafe_code, reason = "an allocator is unsafe to write")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout
)]

use core::time::Duration;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use latchkey_core::customer_role::RoleArn;
use latchkey_core::data_key_rotation::RotationLimits;
use latchkey_core::data_keys::DataKeys;
use latchkey_core::in_memory::{FakeClock, InMemoryCustomer, InMemoryEventBus, InMemoryRecords, RsaKeyPair};
use latchkey_core::kms_key::{AwsAccountId, CustomerKey, KmsKeyId};
use latchkey_core::operations::{
    CreateVault, DecryptItem, DisableVault, EnableVault, EncryptItem, GetSetupKit, ListVaults, ReassignItem,
    SweepVaults, UpdateVault, ValidateVault,
};
use latchkey_core::region::Region;
use latchkey_core::request::{RequestContext, RequestId};
use latchkey_core::workspace::WorkspaceId;
use latchkey_http::caller::ClaimNames;
use latchkey_http::endpoints::{
    CreateVaultEndpoint, DecryptItemEndpoint, DisableVaultEndpoint, EnableVaultEndpoint, EncryptItemEndpoint,
    GetSetupKitEndpoint, ListVaultsEndpoint, ReassignItemEndpoint, UpdateVaultEndpoint, ValidateVaultEndpoint,
};
use latchkey_http::{Deployment, Endpoint, answer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What a request may make us allocate at a time, and in all: so many times its length. The test prints what it was at most.
const PEAK_MULTIPLE: usize = 16;
const TOTAL_MULTIPLE: usize = 40;
/// And what each request costs, however short it is.
const EACH: usize = 256 * 1024;

/// A tenth of what Lambda takes: what grows faster than its request shows.
const MOST: usize = 600_000;
/// Twenty times what API Gateway takes of a token's claims, of headers and of a query together.
const MOST_OF_A_HEAD: usize = 200_000;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = ALLOCATED.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        TOTAL.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What became of one request.
struct Cost {
    status: u16,
    body: String,
    peak: usize,
    total: usize,
}

async fn cost_of<E: Endpoint>(endpoint: &E, payload: &RawValue) -> Cost {
    let claim_names = ClaimNames {
        workspace_id: "workspace_id".into(),
        role: "role".into(),
        subject: "sub".into(),
    };
    let deployment = Deployment {
        region: Region::UsEast2,
        stage: "production".into(),
        claim_names,
    };
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
    let before = ALLOCATED.load(Relaxed);
    PEAK.store(before, Relaxed);
    TOTAL.store(0, Relaxed);
    let response = answer(endpoint, &deployment, &context, payload, io::sink()).await;
    Cost {
        peak: PEAK.load(Relaxed) - before,
        total: TOTAL.load(Relaxed),
        status: response.status_code,
        body: response.body.to_string(),
    }
}

#[derive(Clone)]
struct Service {
    records: InMemoryRecords,
    customer: InMemoryCustomer,
    clock: FakeClock,
}

impl Service {
    fn new() -> Self {
        let key = CustomerKey {
            account_id: AwsAccountId::parse("222222222222").unwrap(),
            key_id: KmsKeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap(),
        };
        let role = RoleArn::parse("arn:aws:iam::222222222222:role/latchkey").unwrap();
        let workspace = WorkspaceId::parse("ws-acme-0001").unwrap();
        Self {
            records: InMemoryRecords::new(),
            customer: InMemoryCustomer::new(key, &RsaKeyPair::generate().unwrap(), role, workspace),
            clock: FakeClock::at(Timestamp::UNIX_EPOCH),
        }
    }

    fn data_keys(&self) -> DataKeys<InMemoryRecords, InMemoryCustomer, FakeClock> {
        let (store, keys, clock) = (self.records.clone(), self.customer.clone(), self.clock.clone());
        DataKeys::new(store, keys, clock, Region::UsEast2, RotationLimits::DEFAULT)
    }

    fn validate_vault(&self) -> ValidateVault<InMemoryRecords, InMemoryCustomer, FakeClock> {
        ValidateVault {
            store: self.records.clone(),
            customer_keys: self.customer.clone(),
            clock: self.clock.clone(),
            access_role: access_role(),
            home: Region::UsEast2,
        }
    }

    fn encrypt_item(&self) -> EncryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock> {
        EncryptItem {
            store: self.records.clone(),
            data_keys: self.data_keys(),
        }
    }

    fn decrypt_item(&self) -> DecryptItem<InMemoryRecords, InMemoryRecords, InMemoryCustomer, FakeClock> {
        DecryptItem {
            store: self.records.clone(),
            data_keys: self.data_keys(),
        }
    }

    /// What a request costs each operation.
    async fn costs(&self, event: &Value) -> Vec<(&'static str, Cost)> {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        self.costs_of(&payload).await
    }

    async fn costs_of(&self, payload: &RawValue) -> Vec<(&'static str, Cost)> {
        let (store, clock) = (self.records.clone(), self.clock.clone());
        let create = CreateVaultEndpoint(CreateVault {
            store: store.clone(),
            customer_keys: self.customer.clone(),
            clock: clock.clone(),
            access_role: access_role(),
            managed_key: None,
            home: Region::UsEast2,
        });
        let validate = ValidateVaultEndpoint {
            operation: SweepVaults {
                validate_vault: self.validate_vault(),
                announcer: InMemoryEventBus::default(),
            },
            stage: "production".to_owned(),
        };
        let enable = EnableVaultEndpoint(EnableVault {
            validate_vault: self.validate_vault(),
        });
        let disable = DisableVaultEndpoint(DisableVault {
            store: store.clone(),
            clock: clock.clone(),
        });
        let update = UpdateVaultEndpoint(UpdateVault {
            store: store.clone(),
            clock,
        });
        let reassign = ReassignItemEndpoint(ReassignItem {
            decrypt: self.decrypt_item(),
            encrypt: self.encrypt_item(),
        });
        let kit = GetSetupKitEndpoint(GetSetupKit {
            access_role: access_role(),
            templates_url: None,
        });
        vec![
            ("create-vault", cost_of(&create, payload).await),
            ("validate-vault", cost_of(&validate, payload).await),
            ("enable-vault", cost_of(&enable, payload).await),
            ("disable-vault", cost_of(&disable, payload).await),
            ("update-vault", cost_of(&update, payload).await),
            (
                "list-vaults",
                cost_of(&ListVaultsEndpoint(ListVaults { store }), payload).await,
            ),
            (
                "encrypt-item",
                cost_of(&EncryptItemEndpoint(self.encrypt_item()), payload).await,
            ),
            (
                "decrypt-item",
                cost_of(&DecryptItemEndpoint(self.decrypt_item()), payload).await,
            ),
            ("reassign-item", cost_of(&reassign, payload).await),
            ("get-setup-kit", cost_of(&kit, payload).await),
        ]
    }
}

fn access_role() -> RoleArn {
    RoleArn::parse("arn:aws:iam::111111111111:role/production-kms-byo-key-access-role").unwrap()
}

fn admin() -> Value {
    json!({ "workspace_id": "ws-acme-0001", "role": "admin", "sub": "user-1" })
}

/// An event of the API, with some of its fields replaced.
fn event(fields: Value) -> Value {
    let mut event = json!({
        "requestContext": { "requestId": "r", "authorizer": { "jwt": { "claims": admin() } } },
        "pathParameters": { "vault_id": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r" },
        "isBase64Encoded": false,
    });
    let into = event.as_object_mut().unwrap();
    into.extend(fields.as_object().unwrap().clone());
    event
}

fn repeated(part: &str, separator: &str, most: usize) -> String {
    vec![part; most / (part.len() + separator.len())].join(separator)
}

/// Names and values that are all different, as many as fit.
fn different(most: usize) -> String {
    let mut pairs = String::new();
    for number in 0.. {
        if pairs.len() > most {
            break;
        }
        write!(pairs, "{}\"{number:x}\":\"\"", if number == 0 { "" } else { "," }).unwrap();
    }
    pairs
}

/// Bodies that are refused whatever the operation, but for those that take none.
fn bodies() -> Vec<String> {
    let items = |item: &str| format!("{{\"items\":[{}]}}", repeated(item, ",", MOST));
    let mut bodies = vec![
        repeated("[", "", MOST),
        repeated("{\"a\":", "", MOST),
        format!("{{\"items\":{}", repeated("[", "", MOST)),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"context\":{}",
            repeated("{\"a\":", "", MOST)
        ),
        format!(
            "{{\"name\":{}{}}}",
            repeated("[", "", 100_000),
            repeated("]", "", 100_000)
        ),
        items("{\"item_id\":\"\",\"plaintext\":\"\"}"),
        items("{\"item_id\":\"\",\"sealed_item\":\"\"}"),
        items("{\"item_id\":\"\",\"sealed_item\":\"\",\"context\":{\"\":\"\"}}"),
        items("0"),
        items("{}"),
        items("null"),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"plaintext\":\"\",\"context\":{{{}}}}}]}}",
            different(MOST)
        ),
        format!(
            "{{\"items\":[{{\"item_id\":\"i\",\"sealed_item\":\"\",\"context\":{{{}}}}}]}}",
            different(MOST)
        ),
        format!("{{{}}}", different(MOST)),
        format!("{{{}}}", repeated("\"name\":\"a\"", ",", MOST)),
        format!("{{{}}}", repeated("\"items\":[]", ",", MOST)),
        format!("[{}]", repeated("{}", ",", MOST)),
        format!("{{}}{}", repeated("{}", "", MOST)),
        repeated("\u{0}", "", MOST),
        repeated("9", "", MOST),
        repeated("\\u0000", "", MOST),
        format!("\"{}\"", repeated("\\ud83d\\ude00", "", MOST)),
        format!("{{\"name\":\"{}\"}}", repeated("\\ud800", "", MOST)),
        format!("{{\"name\":\"{}", repeated("\\\\", "", MOST)),
        "\u{feff}{}".to_owned(),
        "{\"name\":\"\\ud800\"}".to_owned(),
        "{\"name\":\"\\udfff\\ud800\"}".to_owned(),
    ];
    for field in [
        "name",
        "strategy",
        "kms_key_id",
        "aws_role_arn",
        "vault_id",
        "to_vault_id",
        "mode",
        "unheard_of",
    ] {
        bodies.push(format!("{{\"{field}\":\"{}\"}}", repeated("a", "", MOST)));
        bodies.push(format!("{{\"{field}\":\"{}\"}}", repeated("\\u00e9", "", MOST)));
    }
    for number in [
        "1e999999".to_owned(),
        "-1e999999".to_owned(),
        "1e-999999".to_owned(),
        "-0".to_owned(),
        "1e".to_owned(),
        "NaN".to_owned(),
        repeated("9", "", 100_000),
        format!("0.{}", repeated("9", "", 100_000)),
        format!("1e{}", repeated("9", "", 100_000)),
    ] {
        bodies.push(format!("{{\"data_key_cache_seconds\":{number},\"unheard_of\":0}}"));
        bodies.push(format!("{{\"items\":{number}}}"));
        bodies.push(format!("{{\"name\":{number}}}"));
    }
    bodies
}

/// Bytes that are no text, as API Gateway passes them on.
fn bytes() -> Vec<Vec<u8>> {
    vec![
        vec![0xff; 400_000],
        b"{\"name\":\"\xc3\x28\"}".to_vec(),
        b"{\"name\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"\xc0\xaf\":1}".to_vec(),
        "{\"name\":\"a\"}".encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ]
}

/// What is not in the body: claims, headers, the query, the path.
fn heads() -> Vec<(Value, bool)> {
    let long = "a".repeat(MOST_OF_A_HEAD);
    let many = |value: Value| -> Value {
        let names = (0..MOST_OF_A_HEAD / 20).map(|number| (format!("name-{number:08}"), value.clone()));
        names.collect::<serde_json::Map<_, _>>().into()
    };
    let with_claims = |claims: Value| json!({ "requestContext": { "authorizer": { "jwt": { "claims": claims } } } });
    let mut claims = vec![
        json!([]),
        json!(0),
        json!("admin"),
        json!([admin()]),
        many(json!("")),
        many(json!([[]])),
    ];
    for name in ["workspace_id", "role", "sub"] {
        for value in [
            json!([name]),
            json!({ name: name }),
            json!(0),
            Value::Null,
            json!(""),
            json!([long]),
        ] {
            let mut wrong = admin();
            wrong[name] = value;
            claims.push(wrong);
        }
    }
    for name in ["workspace_id", "sub"] {
        let mut wrong = admin();
        wrong[name] = json!(long);
        claims.push(wrong);
    }
    // Each of these is refused by every operation.
    let mut heads: Vec<_> = claims.into_iter().map(|claims| (with_claims(claims), true)).collect();
    for field in ["headers", "pathParameters", "queryStringParameters"] {
        heads.push((json!({ field: [] }), true));
        heads.push((json!({ field: "text" }), true));
        if field != "headers" {
            heads.push((json!({ field: { "vault_id": [] } }), true));
        }
    }
    heads.push((json!({ "headers": { "if-match": [] } }), true));
    heads.push((json!({ "body": {} }), true));
    heads.push((json!({ "body": "*", "isBase64Encoded": true }), true));
    heads.push((json!({ "isBase64Encoded": "yes" }), true));
    heads.push((json!({ "requestContext": [] }), true));
    // These are a matter of the operations that look at them.
    for header in ["authorization", "accept", "if-match", "x-other"] {
        heads.push((json!({ "headers": { header: long } }), false));
    }
    heads.push((
        json!({ "headers": { "accept": "application/zip,".repeat(MOST_OF_A_HEAD / 16) } }),
        false,
    ));
    heads.push((
        json!({ "headers": { "if-match": "\"1-0\",".repeat(MOST_OF_A_HEAD / 6) } }),
        false,
    ));
    for field in ["headers", "queryStringParameters"] {
        heads.push((json!({ field: many(json!("")) }), false));
    }
    heads.push((json!({ "pathParameters": { "vault_id": long } }), false));
    heads.push((json!({ "queryStringParameters": { "next_token": long } }), false));
    heads
}

/// The operations that read no body.
const WITHOUT_BODY: [&str; 2] = ["list-vaults", "get-setup-kit"];

fn hold(operation: &str, cost: &Cost, length: usize, request: &str) {
    let Cost {
        status, peak, total, ..
    } = cost;
    let request: String = request.chars().take(200).collect();
    assert!(*status < 500, "{operation}: {status} for {request}");
    let answered = cost.body.len();
    assert!(
        *status < 400 || answered < 64 * 1024,
        "{operation}: {answered} bytes for {request}"
    );
    let allowed = PEAK_MULTIPLE * length + EACH;
    assert!(
        *peak <= allowed,
        "{operation}: {peak} bytes at a time for {length}: {request}"
    );
    let allowed = TOTAL_MULTIPLE * length + EACH;
    assert!(
        *total <= allowed,
        "{operation}: {total} bytes in all for {length}: {request}"
    );
}

#[tokio::test]
async fn no_request_costs_more_than_a_multiple_of_its_length() {
    let service = Service::new();
    let mut most_tenths = (0, 0);
    let mut requests: Vec<(Value, bool)> = bodies()
        .into_iter()
        .map(|body| (event(json!({ "body": body })), false))
        .collect();
    requests.extend(bytes().into_iter().map(|body| {
        let body = Base64::encode_string(&body);
        (event(json!({ "body": body, "isBase64Encoded": true })), false)
    }));
    let refused_bodies = requests.len();
    requests.extend(heads().into_iter().map(|(head, refused)| (event(head), refused)));
    for (number, (event, refused)) in requests.into_iter().enumerate() {
        let payload = event.to_string();
        for (operation, cost) in service.costs(&event).await {
            hold(operation, &cost, payload.len(), &payload);
            let reads_it = number < refused_bodies && !WITHOUT_BODY.contains(&operation);
            if reads_it || refused {
                let request: String = payload.chars().take(200).collect();
                assert!(
                    (400..500).contains(&cost.status),
                    "{operation}: {} for {request}",
                    cost.status
                );
                assert!(
                    cost.body.contains("urn:latchkey:problem:"),
                    "{operation}: {}",
                    cost.body
                );
            }
            if payload.len() > MOST_OF_A_HEAD / 2 {
                let tenths = |bytes: usize| bytes * 10 / payload.len();
                most_tenths = (
                    most_tenths.0.max(tenths(cost.peak)),
                    most_tenths.1.max(tenths(cost.total)),
                );
            }
        }
    }
    // What JSON cannot write with serde_json: deeper than its own reader goes, a lone surrogate, and names that stand twice.
    let claims =
        |claims: &str| format!("{{\"requestContext\":{{\"authorizer\":{{\"jwt\":{{\"claims\":{claims}}}}}}}}}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for payload in [
        claims(&format!("{{\"sub\":{deep}}}")),
        claims("{\"sub\":\"\\ud800\",\"role\":\"admin\",\"workspace_id\":\"ws-acme-0001\"}"),
        claims("{\"sub\":\"s\",\"role\":\"member\",\"role\":\"admin\",\"workspace_id\":\"ws-acme-0001\"}"),
        "{\"requestContext\":{},\"body\":\"\\ud800\"}".to_owned(),
        format!("{{\"requestContext\":{{}},\"requestContext\":{{}},\"other\":{deep}}}"),
        format!("{{\"sweep\":{deep}}}"),
        "{\"sweep\":{\"shard\":0,\"shard\":1}}".to_owned(),
        "{\"sweep\":{\"shard\":1e999999}}".to_owned(),
        deep.clone(),
    ] {
        let length = payload.len();
        let payload = RawValue::from_string(payload).unwrap();
        for (operation, cost) in service.costs_of(&payload).await {
            hold(operation, &cost, length, payload.get());
            assert!(
                (400..500).contains(&cost.status),
                "{operation}: {} for {payload:.100}",
                cost.status
            );
        }
    }
    assert!(service.records.is_empty(), "nothing is stored");
    println!(
        "at most {} and {} tenths of its length, at a time and in all",
        most_tenths.0, most_tenths.1
    );
}
