//! `AWS_ENDPOINT_URL` redirects all clients, in both Regions. The variable cannot be set in this process, so the test
//! runs itself in a second one.

use std::collections::BTreeSet;

use latchkey_aws::Aws;
use latchkey_core::customer::AccessPurpose;
use latchkey_core::ports::{Announcer, CustomerKeys, DeployedFunctions, VaultStore};
use latchkey_core::values::Region;

use crate::event_bus::announcement;
use crate::fixtures::{access, context, settings, workspace};
use crate::over_tcp::{OverTcp, run_where_aws_is};

#[tokio::test]
async fn the_endpoint_url_of_the_environment_moves_every_client() {
    let over_tcp = OverTcp::listen().await;
    let endpoints = [("AWS_ENDPOINT_URL", over_tcp.url.as_str())];
    run_where_aws_is(&endpoints, "endpoints::call_with_every_client").await;
    let called: BTreeSet<_> = over_tcp.connections().into_iter().flatten().collect();
    let expected = [
        "us-east-2/dynamodb",
        "us-east-2/events",
        "us-east-2/kms",
        "us-east-2/lambda",
        "us-east-2/sts",
        "us-west-2/kms",
        "us-west-2/lambda",
        "us-west-2/sts",
    ];
    assert_eq!(called, expected.map(str::to_owned).into());
}

#[tokio::test]
#[ignore = "run by the test above, in an environment of its own"]
async fn call_with_every_client() {
    let aws = Aws::connect(&settings()).await;
    let access = access(AccessPurpose::UnwrapDataKeys);
    for region in Region::ALL {
        let answer = aws.customer_keys().decrypt(&context(), &access, region, b"x").await;
        assert!(answer.is_err(), "the answer has nothing in it");
        let answer = aws
            .deployed_functions()
            .invoke("decrypt-item", region, "{}".to_owned())
            .await;
        assert_eq!(answer, Ok(b"{}".to_vec()));
    }
    let found = aws.vault_records().vault(&workspace("ws-acme"), &access.vault_id).await;
    assert!(matches!(found, Ok(None)));
    let announced = aws.event_bus().announce(&announcement()).await;
    assert!(announced.is_ok());
}
