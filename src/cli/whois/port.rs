//! Who listens on a port, in whichever network namespace.
//!
//! The tables are those of proc_pid_net(5): `net/tcp`, `net/tcp6`, `net/udp`, `net/udp6`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::process::{by_network, Proc, Process};
use super::subject::Protocol;

/// State of a TCP socket that listens.
const LISTEN: &str = "0A";
/// State of a UDP socket that is not connected.
const UNCONNECTED: &str = "07";

/// A socket that listens, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its protocol.
    pub protocol: Protocol,
    /// What it is bound to.
    pub address: SocketAddr,
    /// Whether it is on the node's own network.
    pub on_the_node: bool,
    /// The processes that have it open; where we may not see that, one in the same network namespace.
    pub holders: Vec<Process>,
    /// Whether `holders` have it open.
    pub certain: bool,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        let place = if self.on_the_node { "the node's network" } else { "a network of its own" };
        write!(f, "{protocol} {} in {place}", self.address)
    }
}

/// Every socket that listens on `port`.
#[must_use]
pub fn listeners(proc: &Proc, protocol: Option<Protocol>, port: u16) -> Vec<Listener> {
    let processes = proc.processes();
    let node = proc.node_network();
    let mut found = Vec::new();
    for (network, members) in by_network(&processes) {
        let Some(first) = members.first() else { continue };
        for (kind, table) in
            [(Protocol::Tcp, "tcp"), (Protocol::Tcp, "tcp6"), (Protocol::Udp, "udp"), (Protocol::Udp, "udp6")]
        {
            if protocol.is_some_and(|p| p != kind) {
                continue;
            }
            for (address, inode) in sockets(&proc.net_table(first.pid, table), kind) {
                if address.port() != port {
                    continue;
                }
                let holds = |p: &&&Process| proc.sockets(p.pid).contains(&inode);
                let holders: Vec<Process> = members.iter().filter(holds).map(|p| (*p).clone()).collect();
                let certain = !holders.is_empty();
                let known = || members.iter().find(|p| !p.names.is_empty()).unwrap_or(first);
                let holders = if certain { holders } else { vec![(*known()).clone()] };
                found.push(Listener { protocol: kind, address, on_the_node: Some(network) == node, holders, certain });
            }
        }
    }
    found
}

/// The listening sockets of a table with their inode numbers.
fn sockets(table: &str, protocol: Protocol) -> impl Iterator<Item = (SocketAddr, u64)> + '_ {
    let wanted = if protocol == Protocol::Tcp { LISTEN } else { UNCONNECTED };
    table.lines().skip(1).filter_map(move |line| {
        let mut columns = line.split_ascii_whitespace();
        let local = columns.nth(1)?;
        let state = columns.nth(1)?;
        let inode = columns.nth(5)?.parse().ok()?;
        (state == wanted).then_some((address(local)?, inode))
    })
}

/// Reads `0100007F:1F90`: 32-bit words in the byte order of the machine, the port in hexadecimal.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let word = u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::super::process::tests::FakeProc;
    use super::*;
    use std::fs;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(local: &str, state: &str, inode: u64) -> String {
        format!("   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000 100 0\n")
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses() {
        for (text, want) in [
            ("0100007F:1F90", "127.0.0.1:8080"),
            ("00000000:0016", "0.0.0.0:22"),
            ("00000000000000000000000000000000:0050", "[::]:80"),
            ("00000000000000000000000001000000:0050", "[::1]:80"),
            ("B80D01200000000067452301EFCDAB89:0050", "[2001:db8::123:4567:89ab:cdef]:80"),
        ] {
            assert_eq!(address(text).map(|a| a.to_string()).as_deref(), Some(want), "{text}");
        }
        for bad in ["", "0100007F", "0100007:1F90", "0100007F:X", "\u{e4}100007F:1F90"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn in_every_network() {
        let fake = FakeProc::new("port");
        let id = "a".repeat(64);
        let host = fake.add(1, "init", "0::/init.scope\n", 10, &[]);
        let tcp =
            [HEAD, &row("00000000:1F90", "0A", 70), &row("0100007F:1F90", "01", 71), &row("00000000:0016", "0A", 72)];
        fs::write(host.join("net/tcp"), tcp.concat()).unwrap();
        fake.add(20, "web", "0::/user.slice\n", 10, &[70]);
        let pod = fake.add(30, "pause", &format!("0::/k8s.io/{id}\n"), 11, &[]);
        fs::write(pod.join("net/udp6"), [HEAD, &row(&format!("{}:1F90", "0".repeat(32)), "07", 80)].concat()).unwrap();
        let got = listeners(&fake.proc(), None, 8080);
        let line = |l: &Listener| (l.to_string(), l.holders.iter().map(|p| p.pid).collect::<Vec<_>>(), l.certain);
        assert_eq!(
            got.iter().map(line).collect::<Vec<_>>(),
            [
                ("tcp 0.0.0.0:8080 in the node's network".to_string(), vec![20], true),
                ("udp [::]:8080 in a network of its own".to_string(), vec![30], false),
            ]
        );
        assert_eq!(listeners(&fake.proc(), Some(Protocol::Udp), 8080).len(), 1);
        assert!(listeners(&fake.proc(), None, 8081).is_empty());
    }
}
