//! One thread for a TCP port: accepts connections and hands them over.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::quiet::Quiet;
use crate::sys::poll;

/// How long nothing is accepted after the process ran out of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(200);
const STACK: usize = 64 * 1024;

/// A running accept thread of a TCP port. Dropping it stops the thread; connections that were handed over live on.
#[derive(Debug)]
pub struct TcpAcceptor {
    /// Closing it stops the thread.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl TcpAcceptor {
    /// Starts the thread `accept-NAME`; `hand_over` gets each connection, nonblocking, with its client's address.
    ///
    /// # Errors
    /// The thread or its means cannot be made.
    pub fn start(
        name: &str,
        listener: TcpListener,
        mut hand_over: impl FnMut(TcpStream, SocketAddr) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        listener.set_nonblocking(true)?;
        let body = move || run(&listener, &stopped, &mut hand_over);
        let thread = thread::Builder::new().name(format!("accept-{name}")).stack_size(STACK).spawn(body)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for TcpAcceptor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|t| t.join().is_err()) {
            log::error!("an accept thread ended in a panic");
        }
    }
}

fn run(listener: &TcpListener, stopped: &UnixStream, hand_over: &mut impl FnMut(TcpStream, SocketAddr)) {
    let mut complaints = Quiet::default();
    loop {
        let problem = match poll::readable(&[stopped.as_fd(), listener.as_fd()], None).as_deref() {
            Ok([true, ..]) => return,
            Ok([_, true]) => accept(listener, hand_over).err(),
            Ok(_) => None,
            Err(e) => Some(io::Error::from(e.kind())),
        };
        let Some(problem) = problem else { continue };
        if let Some(before) = complaints.speak(Instant::now()) {
            let port = listener.local_addr().map_or_else(|_| "a TCP port".into(), |a| a.to_string());
            log::warn!("{port}: cannot accept: {problem} ({before} more since the last message)");
        }
        // EMFILE, ENFILE, ENOMEM: the connection stays in the backlog, and poll(2) would report it at once again.
        if poll::readable(&[stopped.as_fd()], Some(BACK_OFF)).is_ok_and(|r| r.contains(&true)) {
            return;
        }
    }
}

fn accept(listener: &TcpListener, hand_over: &mut impl FnMut(TcpStream, SocketAddr)) -> io::Result<()> {
    match listener.accept() {
        Ok((stream, from)) => {
            // Answers are sent in whole pieces: waiting for more to fill a packet would only delay them.
            if stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).is_ok() {
                hand_over(stream, from);
            }
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINTR | libc::ECONNABORTED)) => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn connections_are_handed_over_until_it_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let greet = |mut stream: TcpStream, from: SocketAddr| drop(stream.write_all(from.to_string().as_bytes()));
        let acceptor = TcpAcceptor::start("test", listener, greet).unwrap();
        for _ in 0..3 {
            let mut client = TcpStream::connect(address).unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            assert_eq!(text, client.local_addr().unwrap().to_string());
        }
        drop(acceptor);
        assert!(TcpStream::connect(address).is_err());
    }
}
