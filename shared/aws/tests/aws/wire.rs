//! The connection from a process to DynamoDB. On it, a request can kill the process, or an answer can be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use latchkey_in_memory::Process;

use crate::strong_consistency;

/// How the answer to a request that has taken effect is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection breaks.
    Reset,
    /// DynamoDB answers with an internal error.
    ServerError,
}

/// The process whose requests go over the wire, and what happens to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    process: Process,
    loss: Option<(usize, Loss)>,
    sent: Arc<AtomicUsize>,
}

impl Wire {
    /// A wire on which each request is a call of this process.
    pub(crate) fn of(process: &Process) -> Self {
        Self {
            process: process.clone(),
            ..Self::default()
        }
    }

    /// A wire that loses the answer to the `nth` request, counted from 1.
    pub(crate) fn losing(nth: usize, loss: Loss) -> Self {
        Self {
            loss: Some((nth, loss)),
            ..Self::default()
        }
    }

    /// How many requests were sent over the wire.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// An HTTP client that sends every request over this wire to `to`.
    pub(crate) fn http_client(&self, to: &SharedHttpConnector) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Wired {
            wire: self.clone(),
            to: to.clone(),
        });
        http_client_fn(move |_, _| connector.clone())
    }
}

#[derive(Clone, Debug)]
struct Wired {
    wire: Wire,
    to: SharedHttpConnector,
}

impl HttpConnector for Wired {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { wire, to } = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").expect("an operation");
            let operation = target.rsplit('.').next().expect("an operation");
            let body = request.body().bytes().expect("in memory");
            strong_consistency::hold(operation, &serde_json::from_slice(body).expect("JSON"));
            let number = wire.sent.fetch_add(1, Ordering::Relaxed) + 1;
            let answer = wire.process.call(to.call(request)).await?;
            match wire.loss {
                Some((nth, loss)) if nth == number => lost(loss),
                _ => Ok(answer),
            }
        })
    }
}

fn lost(loss: Loss) -> Result<HttpResponse, ConnectorError> {
    match loss {
        Loss::Reset => Err(ConnectorError::io("connection reset by peer".into())),
        Loss::ServerError => {
            let body = SdkBody::from(r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}"#);
            Ok(HttpResponse::new(StatusCode::try_from(500).expect("a status"), body))
        }
    }
}
