//! encrypt-item with no work in init. The first invocation makes the settings, log, random generator, TLS and clients,
//! as in a function that makes them when it first needs them. From then on it is the same as functions/encrypt-item.

use std::io;
use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use latchkey_aws::customer_keys::KmsCustomerKeys;
use latchkey_aws::vault_records::VaultRecords;
use latchkey_aws::{Aws, Settings};
use latchkey_core::operations::Service;
use latchkey_core::ports::SystemClock;
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use latchkey_http::endpoints::EncryptItemEndpoint;
use latchkey_http::{ALLOCATOR, Allocator, Deployment, Response, answer, block_on};
use serde_json::value::RawValue;
use tokio::sync::OnceCell;

type Endpoint = EncryptItemEndpoint<VaultRecords, VaultRecords, KmsCustomerKeys, SystemClock>;

struct Function {
    deployment: Deployment,
    endpoint: Endpoint,
}

static FUNCTION: OnceCell<Function> = OnceCell::const_new();

#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

fn main() -> Result<(), Error> {
    block_on(lambda_runtime::run(service_fn(invoke)))
}

async fn invoke(invocation: LambdaEvent<Box<RawValue>>) -> Result<Response, Error> {
    let function = FUNCTION.get_or_try_init(init).await?;
    let (payload, lambda) = invocation.into_parts();
    let time_left = lambda.deadline().duration_since(SystemTime::now())?;
    let context = RequestContext::new(
        RequestId::parse(&lambda.request_id)?,
        time_left.saturating_sub(Duration::from_millis(300)),
    );
    Ok(answer(
        &function.endpoint,
        &function.deployment,
        &context,
        payload,
        io::stdout(),
    )
    .await)
}

async fn init() -> Result<Function, Error> {
    latchkey_http::init();
    let settings = Settings::from_environment()?;
    let aws = Aws::connect(&settings).await;
    let service = Service {
        ports: aws,
        settings: settings.service(),
    };
    Ok(Function {
        deployment: Deployment::from_environment()?,
        endpoint: EncryptItemEndpoint::from(&service),
    })
}
