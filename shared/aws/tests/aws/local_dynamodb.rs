//! A DynamoDB in this process, on a loopback port, with our table in it.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use dynoxide::Database;
use latchkey_aws::vault_records::VaultRecords;
use latchkey_aws::{Aws, Settings};
use latchkey_core::ports::SystemClock;
use latchkey_core::values::Region;
use tokio::net::TcpListener;

use crate::fixtures::settings;
use crate::wire::Wire;

pub(crate) struct LocalDynamoDb {
    pub(crate) records: VaultRecords,
    client: Client,
    config: SdkConfig,
    connector: SharedHttpConnector,
}

impl LocalDynamoDb {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let database = Database::memory().expect("a database");
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let credentials = Credentials::new("AKIA", "secret", None, None, "tests");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(SdkRegion::from_static("us-east-2"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let connector = SharedHttpConnector::new(Connector::builder().build_http());
        let this = Self {
            records: records(&config, &connector, Region::UsEast2, &Wire::default()),
            client: Client::new(&config),
            config,
            connector,
        };
        this.create_table().await;
        this
    }

    /// The records as a function in `region` reaches them.
    pub(crate) fn records_over(&self, wire: &Wire, region: Region) -> VaultRecords {
        records(&self.config, &self.connector, region, wire)
    }

    async fn create_table(&self) {
        let attribute = |name: &str| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition
                .attribute_type(ScalarAttributeType::S)
                .build()
                .expect("complete")
        };
        let key = |name: &str, kind| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .expect("complete")
        };
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let due = GlobalSecondaryIndex::builder()
            .index_name("due")
            .key_schema(key("due_partition", KeyType::Hash))
            .key_schema(key("due_at", KeyType::Range))
            .projection(keys_only)
            .build()
            .expect("complete");
        self.client
            .create_table()
            .table_name(settings().table_name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(["pk", "sk", "due_partition", "due_at"].map(attribute).into()))
            .global_secondary_indexes(due)
            .set_key_schema(Some(vec![key("pk", KeyType::Hash), key("sk", KeyType::Range)]))
            .send()
            .await
            .expect("a table");
    }

    /// The items as they are in the table.
    pub(crate) async fn items(&self) -> Vec<HashMap<String, AttributeValue>> {
        let scanned = self.client.scan().table_name(settings().table_name).send().await;
        scanned.expect("scanned").items.unwrap_or_default()
    }

    /// Puts an item that we did not write.
    pub(crate) async fn put(&self, item: HashMap<String, AttributeValue>) {
        let put = self
            .client
            .put_item()
            .table_name(settings().table_name)
            .set_item(Some(item));
        put.send().await.expect("put");
    }
}

fn records(config: &SdkConfig, connector: &SharedHttpConnector, region: Region, wire: &Wire) -> VaultRecords {
    let config = config.to_builder().http_client(wire.http_client(connector)).build();
    let settings = Settings { region, ..settings() };
    Aws::from_sdk_config(&config, &settings, Arc::new(SystemClock)).vault_records()
}
