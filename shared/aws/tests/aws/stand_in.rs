//! A stand-in for AWS below the SDK: it takes the HTTP requests, records them, and answers as AWS documents.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::fixtures::RSA_2048_DER;
use crate::strong_consistency;

/// The access key id of the function's own credentials.
pub(crate) const OWN_CREDENTIALS: &str = "AKIAFUNCTION";

/// One request as it would go over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) path: String,
    /// `AssumeRole`, `Decrypt`, `GetItem`, ...
    pub(crate) operation: String,
    /// Whose credentials signed it.
    pub(crate) access_key_id: String,
    /// STS: the form. KMS and DynamoDB: the JSON.
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    fn read(request: &HttpRequest) -> Self {
        let uri = request.uri().strip_prefix("https://").expect("https");
        let body = request.body().bytes().expect("in memory");
        let authorization = request.headers().get("authorization").expect("signed");
        let access_key_id = authorization.split(['=', '/']).nth(1).expect("a credential").to_owned();
        let (operation, body) = match request.headers().get("x-amz-target") {
            Some(target) => (
                target.rsplit('.').next().expect("an operation").to_owned(),
                serde_json::from_slice(body).expect("JSON"),
            ),
            None if uri.contains("/invocations") => ("Invoke".to_owned(), serde_json::from_slice(body).expect("JSON")),
            None => {
                let form = read_form(core::str::from_utf8(body).expect("a form"));
                (form["Action"].as_str().expect("an action").to_owned(), form)
            }
        };
        Self {
            host: uri.split('/').next().expect("a host").to_owned(),
            path: uri.split_once('/').map(|(_, path)| path.to_owned()).unwrap_or_default(),
            operation,
            access_key_id,
            body,
        }
    }
}

/// How AWS answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The operation's success.
    Success,
    /// A success with this body.
    Json(Value),
    /// An error with this code.
    Error(u16, &'static str, &'static str),
    /// The answer of Lambda when a function crashed.
    Crashed,
    /// Anything else that came over the wire.
    Raw(u16, &'static str),
    /// The operation's success, after a while.
    Late(Duration),
    /// Nothing, ever.
    Silence,
    /// No connection.
    Refused,
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

#[derive(Clone)]
pub(crate) struct StandIn {
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    count: Arc<AtomicUsize>,
}

impl StandIn {
    /// AWS, where everything is in order.
    pub(crate) fn in_order() -> Self {
        Self::answering(|_| Answer::Success)
    }

    pub(crate) fn answering(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            requests: Arc::default(),
            count: Arc::default(),
        }
    }

    pub(crate) fn sdk_config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let own = Credentials::new(OWN_CREDENTIALS, "secret", Some("token".to_owned()), None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(own))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    /// The requests of one operation, in order.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Request> {
        let requests = self.requests.lock().expect("not poisoned");
        let of_operation = requests.iter().filter(|request| request.operation == operation);
        of_operation.cloned().collect()
    }

    /// The requests to enter one role.
    pub(crate) fn entries(&self, role_arn: &str) -> Vec<Request> {
        let mut entries = self.requests("AssumeRole");
        entries.retain(|request| request.text("RoleArn") == Some(role_arn));
        entries
    }

    fn respond(&self, request: &Request, answer: Answer) -> Result<HttpResponse, ConnectorError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let crashed = matches!(answer, Answer::Crashed);
        let (status, body) = match answer {
            Answer::Success | Answer::Late(_) if request.operation == "AssumeRole" => {
                (200, assumed_role(request, number))
            }
            Answer::Success | Answer::Late(_) => (200, kms_success(request).to_string()),
            Answer::Json(body) => (200, body.to_string()),
            Answer::Error(status, code, message) if request.operation == "AssumeRole" => {
                (status, sts_error(code, message))
            }
            Answer::Error(status, code, message) => (status, json!({"__type": code, "message": message}).to_string()),
            Answer::Crashed => (200, json!({ "errorType": "Runtime.ExitError" }).to_string()),
            Answer::Raw(status, body) => (status, body.to_owned()),
            Answer::Refused => return Err(ConnectorError::io("connection refused".into())),
            Answer::Silence => unreachable!("silence is not answered"),
        };
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        response
            .headers_mut()
            .insert("x-amzn-requestid", format!("aws-request-{number}"));
        if crashed {
            // Source: Lambda API reference, Invoke.
            response.headers_mut().insert("x-amz-function-error", "Unhandled");
        }
        Ok(response)
    }
}

impl core::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StandIn")
    }
}

impl HttpConnector for StandIn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let request = Request::read(&request);
            if request.host.starts_with("dynamodb.") {
                strong_consistency::hold(&request.operation, &request.body);
            }
            this.requests.lock().expect("not poisoned").push(request.clone());
            let answer = (this.script)(&request);
            match answer {
                Answer::Silence => core::future::pending::<()>().await,
                Answer::Late(by) => tokio::time::sleep(by).await,
                _ => {}
            }
            // An answer takes some time, so that concurrent calls really overlap.
            for _ in 0..20_u8 {
                tokio::task::yield_now().await;
            }
            this.respond(&request, answer)
        })
    }
}

/// Credentials whose access key id contains the role and the number of the call.
fn assumed_role(request: &Request, number: usize) -> String {
    let role = request
        .text("RoleArn")
        .and_then(|arn| arn.rsplit('/').next())
        .expect("a role");
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA.{role}.{number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn sts_error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// KMS's answers when the key is in order. A ciphertext is the same as its plaintext.
fn kms_success(request: &Request) -> Value {
    let arn = request.text("KeyId");
    match request.operation.as_str() {
        "Decrypt" => json!({"KeyId": arn, "Plaintext": request.text("CiphertextBlob")}),
        "Encrypt" => json!({"KeyId": arn, "CiphertextBlob": request.text("Plaintext")}),
        "GetPublicKey" => json!({"KeyId": arn, "KeyUsage": "ENCRYPT_DECRYPT", "PublicKey": RSA_2048_DER}),
        "DescribeKey" => json!({"KeyMetadata": {
            "KeyId": arn.and_then(|arn| arn.rsplit('/').next()), "Arn": arn, "Enabled": true, "KeyState": "Enabled",
            "KeySpec": "RSA_4096", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"
        }}),
        _ => json!({}),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

fn read_form(form: &str) -> Value {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), Value::from(percent_decoded(value))))
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
                u8::from_str_radix(core::str::from_utf8(&digits).expect("ASCII"), 16).expect("hexadecimal")
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).expect("UTF-8")
}
