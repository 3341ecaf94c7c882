//! Which user holds the other end of a TCP connection inside this machine.
//!
//! The kernel tells it in `/proc/net/tcp` and `/proc/net/tcp6` (proc_net_tcp.txt in its documentation).

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream};

/// How often the tables are searched: one that changes while it is read may miss a line.
const ATTEMPTS: usize = 3;

/// The user whose socket is connected to ours, or `None` where there is no such socket (any more).
///
/// # Errors
/// The tables cannot be read.
pub fn of(stream: &TcpStream) -> io::Result<Option<u32>> {
    let (client, server) = (stream.peer_addr()?, stream.local_addr()?);
    for _ in 0..ATTEMPTS {
        // A client may use an IPv6 socket for an IPv4 address.
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            match File::open(table) {
                Ok(file) => {
                    if let Some(uid) = find(BufReader::new(file), client, server)? {
                        return Ok(Some(uid));
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {} // a kernel without IPv6
                Err(e) => return Err(e),
            }
        }
    }
    Ok(None)
}

/// Searches a table for the socket at `client` that is connected to `server`.
fn find(table: impl BufRead, client: SocketAddr, server: SocketAddr) -> io::Result<Option<u32>> {
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, _, _, _, _, uid, _, inode, ..] = fields.as_slice() else { continue };
        // A socket that its process has closed has no inode, and the user is no longer known: it says 0.
        if *inode == "0" || address(local) != Some(canonical(client)) || address(remote) != Some(canonical(server)) {
            continue;
        }
        return Ok(uid.parse().ok());
    }
    Ok(None)
}

/// `0100007F:1F41` is 127.0.0.1:8001: each four bytes are printed as a number in the order of the processor.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            IpAddr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?)
        }
        _ => return None,
    };
    Some((ip.to_canonical(), u16::from_str_radix(port, 16).ok()?))
}

fn canonical(address: SocketAddr) -> (IpAddr, u16) {
    let ip = match address.ip() {
        IpAddr::V6(ip) => Ipv6Addr::to_canonical(&ip),
        v4 => v4,
    };
    (ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::net::TcpListener;

    #[test]
    fn our_own_end_is_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(of(&server).unwrap(), Some(process::effective_uid()));
        drop(client);
        // What is left of it belongs to nobody, and least of all to root.
        assert_eq!(of(&server).unwrap(), None);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn tables() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
            1: 0100007F:1F41 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1\n\
            2: 0100007F:D431 0100007F:1F41 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1\n\
            3: 0100007F:D432 0100007F:1F41 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0\n";
        let server = "127.0.0.1:8001".parse().unwrap();
        let of = |table: &str, client: &str| find(table.as_bytes(), client.parse().unwrap(), server).unwrap();
        assert_eq!(of(tcp, "127.0.0.1:54321"), Some(1000));
        assert_eq!(of(tcp, "127.0.0.1:54322"), None);
        assert_eq!(of(tcp, "127.0.0.2:54321"), None);
        let tcp6 = "header\n 0: 0000000000000000FFFF00000100007F:D431 0000000000000000FFFF00000100007F:1F41 01 \
            00000000:00000000 00:00000000 00000000  1001        0 3 1 0 20 4 30 10 -1\n";
        assert_eq!(of(tcp6, "127.0.0.1:54321"), Some(1001));
        for odd in ["", "x", "x\n1 2 3\n", "x\n0: ZZ:1 0:0 1 1 1 1 1 1 1\n"] {
            assert_eq!(of(odd, "127.0.0.1:54321"), None);
        }
    }
}
