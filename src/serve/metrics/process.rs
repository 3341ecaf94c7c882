//! Figures of this process, from `/proc/self` (proc(5)), under the names that Prometheus' clients use.

use std::fs;

use super::text::Text;

/// Clock ticks a second in `/proc` (USER_HZ, the same on every architecture we build for).
const TICKS: f64 = 100.0;

/// Appends what can be read; without `/proc` that is nothing.
pub(super) fn render(text: &mut Text) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (stat, status, limits) = (read("/proc/self/stat"), read("/proc/self/status"), read("/proc/self/limits"));
    let mut one = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            text.family(name, kind, help).sample(&[], value);
        }
    };
    let cpu = stat_field(&stat, 14).zip(stat_field(&stat, 15)).map(|(user, system)| (user + system) / TICKS);
    one("process_cpu_seconds_total", "counter", "User and system CPU time, in seconds.", cpu);
    let resident = kib(&status, "VmRSS:").map(|n| n * 1024.0);
    one("process_resident_memory_bytes", "gauge", "Resident memory, in bytes.", resident);
    let size = kib(&status, "VmSize:").map(|n| n * 1024.0);
    one("process_virtual_memory_bytes", "gauge", "Virtual memory, in bytes.", size);
    let open = fs::read_dir("/proc/self/fd").ok().map(|d| d.count().saturating_sub(1) as f64); // less the one that reads
    one("process_open_fds", "gauge", "Open file descriptors.", open);
    one("process_max_fds", "gauge", "Limit of open file descriptors.", most_files(&limits));
    one("process_threads", "gauge", "Threads.", kib(&status, "Threads:"));
    let boot = read("/proc/stat").lines().find_map(|l| l.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    let started = boot.zip(stat_field(&stat, 22)).map(|(boot, ticks)| boot + ticks / TICKS);
    one("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", started);
}

/// A field of `/proc/PID/stat` by its number in proc(5). The second is a name in brackets that may hold anything.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// The number after a key of `/proc/PID/status`.
fn kib(status: &str, key: &str) -> Option<f64> {
    status.lines().find_map(|l| l.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

fn most_files(limits: &str) -> Option<f64> {
    let soft = limits.lines().find_map(|l| l.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" {
        return Some(f64::INFINITY);
    }
    soft.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_and_limits() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 3 0 12345 0";
        assert_eq!((stat_field(stat, 14), stat_field(stat, 22)), (Some(250.0), Some(12345.0)));
        assert_eq!(stat_field("", 14), None);
        assert_eq!(most_files("Max open files            1024                 4096   files"), Some(1024.0));
        assert_eq!(most_files("Max open files            unlimited            unlimited   files"), Some(f64::INFINITY));
        assert_eq!(kib("VmRSS:\t    3104 kB\n", "VmRSS:"), Some(3104.0));
    }
}
