//! GET over a unix socket, as a nodepods daemon answers on its own.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::client::Response;
use super::error::HttpError;
use super::request;
use super::socket::meaning;
use super::url::Url;

/// A request to whoever listens on `socket`. `silence` is the longest time without a byte; `None` waits for ever, as
/// for a log that goes on. The answer may have any status.
///
/// # Errors
/// No connection, or no proper answer.
pub fn get(
    socket: &Path,
    (path, query): (&str, &str),
    accept: &str,
    silence: Option<Duration>,
) -> Result<Response, HttpError> {
    let host: Url = "http://localhost".parse().map_err(|_| HttpError::Malformed("a name without an address"))?;
    let bytes = request::get(&host.below(path, query), accept, &[])?;
    let refused = |e: io::Error| HttpError::Connect { to: socket.display().to_string(), problem: e.to_string() };
    let stream = UnixStream::connect(socket).map_err(refused)?;
    stream.set_read_timeout(silence).and_then(|()| stream.set_write_timeout(silence)).map_err(refused)?;
    Response::of(Box::new(Local { stream, silence }), &bytes)
}

/// A connection that says at the end of its wait how long it was.
struct Local {
    stream: UnixStream,
    silence: Option<Duration>,
}

impl Local {
    fn over(&self) -> HttpError {
        HttpError::Timeout(self.silence.unwrap_or_default())
    }
}

impl Read for Local {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buf).map_err(|e| meaning(e, self.over()))
    }
}

impl Write for Local {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.write(buf).map_err(|e| meaning(e, self.over()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::thread;

    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("nodepods-local-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn one_request_and_its_answer() {
        let path = place("one");
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let lines = io::BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").unwrap();
            asked
        });
        let mut answer = get(&path, ("/a/b", "c=d"), "text/plain", Some(Duration::from_secs(10))).unwrap();
        assert_eq!((answer.status(), answer.bytes(10)), (404, Ok(b"no".to_vec())));
        let asked = server.join().unwrap();
        assert_eq!(asked.first().map(String::as_str), Some("GET /a/b?c=d HTTP/1.1"));
        assert!(asked.contains(&"Host: localhost".to_owned()), "{asked:?}");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn nobody_there_and_nobody_answering() {
        let path = place("silent");
        let refused = get(&path, ("/", ""), "*/*", None).unwrap_err();
        assert!(refused.to_string().starts_with(&format!("no connection to {}: ", path.display())), "{refused}");
        let _listener = UnixListener::bind(&path).unwrap();
        let short = Duration::from_millis(20);
        assert_eq!(get(&path, ("/", ""), "*/*", Some(short)).unwrap_err(), HttpError::Timeout(short));
        std::fs::remove_file(path).unwrap();
    }
}
