//! The API over HTTP: tokens that expire, redirects, and what is read of an answer.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use move_items::client::Transport;
use move_items::http::{Api, TokenSource};
use move_items::stop::Stop;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::requests::{Request, answer};

/// Answers one request on each connection, with `answers` in order. Returns its address and the requests.
fn server(answers: Vec<(String, Box<dyn FnOnce() + Send>)>) -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/stage", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    thread::spawn(move || {
        for (answer, before) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let request = Request::read(&stream);
            before();
            sender.send(request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, requests)
}

fn nothing() -> Box<dyn FnOnce() + Send> {
    Box::new(|| {})
}

fn given() -> TokenSource {
    TokenSource::Given(Zeroizing::new("given".to_owned()))
}

#[tokio::test]
async fn an_answer_is_read_as_it_comes() {
    let (address, requests) = server(vec![(answer("429 T", "Retry-After: 7\r\n", "{}"), nothing())]);
    let api = Api::new(&format!("{address}/"), given()).unwrap();
    let read = api.post("/v1/items/reassign", "body".to_owned()).await.unwrap();
    assert_eq!((read.status, read.retry_after), (429, Some(Duration::from_secs(7))));
    assert_eq!(read.body.as_slice(), b"{}");
    let request = requests.recv().unwrap();
    assert_eq!(request.line, "POST /stage/v1/items/reassign HTTP/1.1");
    assert_eq!(
        (request.authorization.as_str(), request.body.as_str()),
        ("Bearer given", "body")
    );
}

#[tokio::test]
async fn a_token_that_has_expired_is_read_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "old\n").unwrap();
    let renewed = path.clone();
    let renew = Box::new(move || fs::write(renewed, "new\n").unwrap());
    let (address, requests) = server(vec![
        (answer("401 U", "", ""), renew),
        (answer("200 O", "", "once"), nothing()),
        (answer("200 O", "", "twice"), nothing()),
        (answer("401 U", "", "still"), nothing()),
    ]);
    let api = Api::new(&address, TokenSource::File(path)).unwrap();
    for (body, status) in [("once", 200), ("twice", 200), ("still", 401)] {
        let read = api.post("/", String::new()).await.unwrap();
        assert_eq!((read.body.as_slice(), read.status), (body.as_bytes(), status));
    }
    let tokens: Vec<_> = requests.iter().map(|request| request.authorization).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new", "Bearer new", "Bearer new"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, requests) = server(vec![(answer("200 O", "", ""), nothing())]);
    let location = format!("Location: {elsewhere}\r\n");
    let (address, _requests) = server(vec![(answer("307 R", &location, ""), nothing())]);
    let api = Api::new(&address, given()).unwrap();
    assert_eq!(api.post("/", String::new()).await.unwrap().status, 307);
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn no_answer_is_told_without_the_address() {
    let (address, _requests) = server(Vec::new());
    let api = Api::new(&address, given()).unwrap();
    let told = api.post("/", String::new()).await.err().unwrap();
    assert!(!told.contains("127.0.0.1"), "{told}");
}

#[test]
fn without_a_token_there_is_no_way() {
    let missing = TokenSource::File("/nowhere/token".into());
    assert!(matches!(
        Api::new("https://api.example", missing),
        Err(Stop::Disk { .. })
    ));
    let two_lines = TokenSource::Given(Zeroizing::new("a\nb".to_owned()));
    assert!(matches!(
        Api::new("https://api.example", two_lines),
        Err(Stop::Settings(_))
    ));
}
