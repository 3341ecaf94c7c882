//! A server on loopback that answers with fixed bytes and then behaves well or badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};

use super::http::url::Url;

/// What happens behind the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection ends.
    Close,
    /// Nothing more comes; the connection stays until the client leaves.
    Stall,
}

/// Reads the head of a request.
pub fn head(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.by_ref().take_while(|l| !l.is_empty()).fold(String::new(), |head, line| head + &line + "\r\n")
}

/// Answers one connection; gives what was asked.
pub fn serve_once(answer: &'static [u8], then: Then) -> (Url, Receiver<String>) {
    let (url, exchanges) = listen();
    let (tx, rx) = bounded(1);
    thread::spawn(move || {
        let Ok(mut exchange) = exchanges.recv() else { return };
        exchange.say(answer);
        let _ = tx.send(exchange.asked.clone());
        exchange.end(then);
    });
    (url, rx)
}

/// One request and the connection to answer it on.
pub struct Exchange {
    pub asked: String,
    stream: TcpStream,
}

impl Exchange {
    /// Path and query of the request.
    pub fn target(&self) -> &str {
        self.asked.split(' ').nth(1).unwrap_or_default()
    }

    pub fn say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    pub fn end(mut self, then: Then) {
        if then == Then::Stall {
            let _ = self.stream.read(&mut [0]);
        }
    }

    /// A whole answer.
    pub fn answer(mut self, status: &str, content_type: &str, body: &[u8]) {
        self.say(
            format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len())
                .as_bytes(),
        );
        self.say(body);
    }
}

/// Listens on a free port; every request comes out of the channel, in order.
pub fn listen() -> (Url, Receiver<Exchange>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (tx, rx) = unbounded();
    thread::spawn(move || accept(&listener, &tx));
    (url, rx)
}

fn accept(listener: &TcpListener, tx: &Sender<Exchange>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let asked = head(&stream);
        if tx.send(Exchange { asked, stream }).is_err() {
            return;
        }
    }
}
