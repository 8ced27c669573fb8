//! HTTP, as far as a server in a test speaks it: one request on each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use move_items::client::Transport;
use tokio::runtime::Builder;

use crate::service::Service;

/// The parts of a request that matter here.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn read(stream: &TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut next = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        let line = next();
        let (mut authorization, mut length) = (String::new(), 0);
        loop {
            let header = next();
            match header.split_once(": ") {
                Some(("authorization", value)) => authorization = value.to_owned(),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        Self {
            line,
            authorization,
            body: String::from_utf8(body).unwrap(),
        }
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

/// Serves the service on this machine until the tests end, and returns its address.
pub(crate) fn serve(service: &Service) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let service = service.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, service) = (stream.unwrap(), service.clone());
            thread::spawn(move || {
                let request = Request::read(&stream);
                let path = request.line.split(' ').nth(1).unwrap();
                let runtime = Builder::new_current_thread().build().unwrap();
                let answered = runtime.block_on(service.post(path, request.body)).unwrap();
                let body = str::from_utf8(&answered.body).unwrap();
                let text = answer(&format!("{} A", answered.status), "", body);
                stream.write_all(text.as_bytes()).unwrap();
            });
        }
    });
    address
}
