//! How many connections an execution environment opens: one to each host, however many customers there are. The hosts
//! come from environment variables. They cannot be set in this process, so the test runs itself in a second one.

use latchkey_aws::Aws;
use latchkey_core::customer::AccessPurpose;
use latchkey_core::ports::{CustomerKeys, VaultStore};
use latchkey_core::values::Region;

use crate::fixtures::{access, context, settings, workspace};
use crate::over_tcp::{OverTcp, run_where_aws_is};

const CUSTOMERS: usize = 8;

#[tokio::test]
async fn all_customers_share_one_connection_to_each_host() {
    let (dynamodb, kms, sts) = (
        OverTcp::listen().await,
        OverTcp::listen().await,
        OverTcp::listen().await,
    );
    let endpoints = [
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url.as_str()),
        ("AWS_ENDPOINT_URL_KMS", &kms.url),
        ("AWS_ENDPOINT_URL_STS", &sts.url),
    ];
    run_where_aws_is(&endpoints, "connections::call_for_many_customers").await;
    let calls = |host: &OverTcp| host.connections().iter().map(Vec::len).collect::<Vec<_>>();
    // Both Regions share a host here. The access role and each customer's role are entered once in each Region.
    let both = Region::ALL.len();
    assert_eq!(calls(&dynamodb), [CUSTOMERS]);
    assert_eq!(calls(&kms), [CUSTOMERS * both]);
    assert_eq!(calls(&sts), [(CUSTOMERS + 1) * both]);
}

#[tokio::test]
#[ignore = "run by the test above, in an environment of its own"]
async fn call_for_many_customers() {
    let aws = Aws::connect(&settings()).await;
    for customer in 0..CUSTOMERS {
        let mut access = access(AccessPurpose::UnwrapDataKeys);
        access.workspace_id = workspace(&format!("ws-{customer}"));
        let found = aws.vault_records().vault(&access.workspace_id, &access.vault_id).await;
        assert!(matches!(found, Ok(None)));
        for region in Region::ALL {
            let answer = aws.customer_keys().decrypt(&context(), &access, region, b"x").await;
            assert!(answer.is_err(), "the answer has nothing in it");
        }
    }
}
