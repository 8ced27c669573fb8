//! Where the clients call: `AWS_ENDPOINT_URL` moves all of them, in both Regions. The environment cannot be set in this
//! process, so the test runs itself again in one where it is.

use std::collections::BTreeSet;
use std::env;
use std::process::Stdio;

use latchkey_aws::Aws;
use latchkey_core::access::AccessPurpose;
use latchkey_core::ports::{Announcer, CustomerKeys, DeployedFunctions, VaultStore};
use latchkey_core::region::Region;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::event_bus::announcement;
use crate::fixtures::{access, context, settings, workspace};

#[tokio::test]
async fn the_endpoint_url_of_the_environment_moves_every_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let child = Command::new(env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", "endpoints::call_with_every_client"])
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_ACCESS_KEY_ID", "AKIAFUNCTION")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status();
    let mut called = BTreeSet::new();
    let mut child = core::pin::pin!(child);
    loop {
        tokio::select! {
            status = &mut child => {
                assert!(status.expect("runs").success());
                break;
            }
            connection = listener.accept() => {
                called.insert(serve_one(connection.expect("a connection").0).await);
            }
        }
    }
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

/// Answers one request, and tells the Region and service that it was signed for.
async fn serve_one(mut connection: TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.contains("\r\n\r\n") {
        let length = connection.read(&mut buffer).await.expect("a request");
        request.push_str(core::str::from_utf8(&buffer[..length]).expect("text"));
    }
    let scope: Vec<&str> = request
        .split("Credential=")
        .nth(1)
        .expect("signed")
        .splitn(5, '/')
        .collect();
    let body = match scope[3] {
        "sts" => {
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        }
        _ => "{}",
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    connection.write_all(answer.as_bytes()).await.expect("answers");
    format!("{}/{}", scope[2], scope[3])
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
