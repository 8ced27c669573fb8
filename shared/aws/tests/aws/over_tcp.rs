//! A stand-in for AWS on a port of this machine, for what only real connections show: which endpoints are called, and
//! over how many connections.

use std::env;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
     <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>t</SessionToken>\
     <Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// Runs an ignored test of this binary in a process of its own, whose environment sets these endpoints.
pub(crate) async fn run_where_aws_is(endpoints: &[(&str, &str)], test: &str) {
    let status = Command::new(env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", test])
        .envs(endpoints.iter().copied())
        .env("AWS_ACCESS_KEY_ID", "AKIAFUNCTION")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status();
    assert!(status.await.expect("runs").success());
}

/// Grants every AssumeRole, and gives every other call an empty answer.
pub(crate) struct OverTcp {
    pub(crate) url: String,
    connections: Arc<Mutex<Vec<Vec<String>>>>,
}

impl OverTcp {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let connections = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept(listener, Arc::clone(&connections)));
        Self { url, connections }
    }

    /// For each connection, the Region and the service that each of its requests was signed for.
    pub(crate) fn connections(&self) -> Vec<Vec<String>> {
        self.connections.lock().expect("not poisoned").clone()
    }
}

async fn accept(listener: TcpListener, connections: Arc<Mutex<Vec<Vec<String>>>>) {
    loop {
        let (connection, _) = listener.accept().await.expect("a connection");
        let number = {
            let mut connections = connections.lock().expect("not poisoned");
            connections.push(Vec::new());
            connections.len() - 1
        };
        let connections = Arc::clone(&connections);
        tokio::spawn(serve(connection, move |scope| {
            connections.lock().expect("not poisoned")[number].push(scope);
        }));
    }
}

async fn serve(connection: TcpStream, heard: impl Fn(String)) {
    let mut connection = BufReader::new(connection);
    while let Some((scope, length)) = read_head(&mut connection).await {
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.expect("a body");
        let body = if scope.ends_with("/sts") { SESSION } else { "{}" };
        heard(scope);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(answer.as_bytes()).await.expect("answers");
    }
}

/// What the next request was signed for, and its body's length; `None` once the connection is closed.
async fn read_head(connection: &mut BufReader<TcpStream>) -> Option<(String, usize)> {
    let (mut scope, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some((scope.expect("signed"), length));
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        match name {
            // Signature Version 4: Credential=<access key id>/<date>/<Region>/<service>/aws4_request
            "authorization" => {
                let credential: Vec<_> = value.split("Credential=").nth(1)?.splitn(5, '/').collect();
                scope = Some(format!("{}/{}", credential[2], credential[3]));
            }
            "content-length" => length = value.parse().expect("a length"),
            _ => {}
        }
    }
}
