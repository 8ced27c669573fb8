//! The HTTPS connector: one for all clients, made when the execution environment starts.
//!
//! Left to itself, the SDK makes one for each client when the client is made, throws it away, and makes it again in the
//! client's first call (aws-smithy-http-client, `HyperClient`). Each time all of the system's roots are parsed, some 140
//! certificates. Here that is done once, ahead of the first request, and never in one.

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
    /// Reads the system's roots (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`) and configures TLS. Connects to nobody.
    ///
    /// As the SDK's own: TLS by rustls on aws-lc, and a proxy if the environment names one.
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
    /// The same for all settings: every client here has the same connect timeout, and no timeout for reading alone.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.0.clone()
    }
}
