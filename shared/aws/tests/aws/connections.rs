//! How many connections an execution environment opens: one for each service and Region, whatever the number of customers.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use latchkey_aws::Aws;
use latchkey_core::access::AccessPurpose;
use latchkey_core::ports::{CustomerKeys, SystemClock, VaultStore};
use latchkey_core::region::Region;

use crate::fixtures::{access, context, settings, workspace};
use crate::over_tcp::OverTcp;

#[tokio::test]
async fn all_customers_share_one_connection_for_each_service_and_region() {
    const CUSTOMERS: usize = 8;
    let over_tcp = OverTcp::listen().await;
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&over_tcp.url)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build();
    let aws = Aws::from_sdk_config(&config, &settings(), Arc::new(SystemClock));

    for customer in 0..CUSTOMERS {
        let workspace_id = workspace(&format!("ws-{customer}"));
        let mut access = access(AccessPurpose::UnwrapDataKeys);
        access.workspace_id = workspace_id.clone();
        let found = aws.vault_records().vault(&workspace_id, &access.vault_id).await;
        assert!(matches!(found, Ok(None)));
        for region in Region::ALL {
            let answer = aws.customer_keys().decrypt(&context(), &access, region, b"x").await;
            assert!(answer.is_err(), "the answer has nothing in it");
        }
    }

    let connections = over_tcp.connections();
    let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for connection in &connections {
        let scope = &connection[0];
        assert!(connection.iter().all(|it| it == scope), "one connection, one service");
        calls.entry(scope.as_str()).or_default().push(connection.len());
    }
    let expected = [
        ("us-east-2/dynamodb", vec![CUSTOMERS]),
        ("us-east-2/kms", vec![CUSTOMERS]),
        ("us-east-2/sts", vec![CUSTOMERS + 1]),
        ("us-west-2/kms", vec![CUSTOMERS]),
        ("us-west-2/sts", vec![CUSTOMERS + 1]),
    ];
    assert_eq!(calls, BTreeMap::from(expected));
}
