//! A pod's own addresses. Source: `kubernetes/kubernetes pkg/kubelet/kubelet_pods.go` (`sortPodIPs`).

use std::net::IpAddr;

use super::instances::Instances;

/// Addresses of the newest sandbox, if it is ready: at most one of each family, IPv4 first as a kubelet without
/// configured node addresses has it. Empty on the host's network, where the runtime reports none.
#[must_use]
pub fn of_sandbox(instances: &Instances<'_>) -> Vec<String> {
    let Some(sandbox) = instances.sandbox().filter(|s| s.ready) else { return Vec::new() };
    let all: Vec<IpAddr> =
        sandbox.ips.iter().filter_map(|ip| ip.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical()).collect();
    let first = |wanted: fn(&IpAddr) -> bool| all.iter().find(|ip| wanted(ip)).map(ToString::to_string);
    [first(IpAddr::is_ipv4), first(IpAddr::is_ipv6)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::observed::Sandbox;
    use std::sync::Arc;

    #[test]
    fn one_of_each_family() {
        let table: [(bool, &[&str], &[&str]); 6] = [
            (true, &["10.0.0.1"], &["10.0.0.1"]),
            (true, &["fd00::1", "10.0.0.1"], &["10.0.0.1", "fd00::1"]),
            (true, &["10.0.0.1", "10.0.0.2", "FD00:0::1"], &["10.0.0.1", "fd00::1"]),
            (true, &["::ffff:10.0.0.1", "nonsense"], &["10.0.0.1"]),
            (true, &[], &[]),
            (false, &["10.0.0.1"], &[]),
        ];
        for (ready, ips, want) in table {
            let ips = ips.iter().map(ToString::to_string).collect();
            let sandboxes = [Arc::new(Sandbox { ready, ips, ..Default::default() })];
            assert_eq!(of_sandbox(&Instances::new(&sandboxes, &[])), want);
        }
    }

    #[test]
    fn only_the_newest_sandbox() {
        let old = Sandbox { ready: true, ips: vec!["10.0.0.1".into()], ..Default::default() };
        let new = Sandbox { attempt: 1, ..Default::default() };
        let sandboxes = [Arc::new(old), Arc::new(new)];
        assert!(of_sandbox(&Instances::new(&sandboxes, &[])).is_empty());
    }
}
