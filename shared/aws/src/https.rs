//! The HTTPS connector: one for all clients, made when the execution environment starts.
//!
//! By default, the SDK makes a connector for each new client, throws it away, and makes another in the client's first
//! call (aws-smithy-http-client, `HyperClient`). Each time it parses all of the system's root certificates, about
//! 140. We parse them once, before the first request.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::deadline_timeouts::CONNECT_TIMEOUT;

/// The connector, with its pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct OneConnector(SharedHttpConnector);

impl OneConnector {
    /// Reads the system's root certificates (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`) and configures TLS.
    /// Opens no connection.
    ///
    /// Like the SDK's own connector, it uses rustls on aws-lc, and a proxy if the environment names one.
    pub(crate) fn new() -> Self {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let mut connector: ConnectorBuilder<_> = Connector::builder()
            .connector_settings(settings)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        Self(SharedHttpConnector::new(connector.build()))
    }
}

impl HttpClient for OneConnector {
    /// Ignores the settings: all clients here share one connect timeout, and none has a read timeout.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.0.clone()
    }
}
