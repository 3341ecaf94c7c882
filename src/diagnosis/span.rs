//! Spans of time and amounts as a person reads them.

use crate::pod::columns::age;

/// `5m ago`; `just now` for less than a second.
pub fn ago(seconds: i64) -> String {
    if seconds <= 0 {
        "just now".to_owned()
    } else {
        format!("{} ago", age(seconds))
    }
}

/// `10s`, `2m40s`.
pub fn span(seconds: i64) -> String {
    age(seconds.max(0))
}

/// `1.5 GiB`: three figures at most.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if value >= 10.0 || unit == "B" {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// `1 restart`, `2 restarts`.
pub fn count(n: i64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_person_reads_them() {
        assert_eq!([ago(0), ago(-5), ago(61), span(160)], ["just now", "just now", "61s ago", "2m40s"]);
        let amounts = [bytes(0), bytes(1023), bytes(1024), bytes(1536), bytes(20 << 20), bytes(3 << 30)];
        assert_eq!(amounts, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "20 MiB", "3.0 GiB"]);
        assert_eq!([count(1, "restart"), count(2, "restart")], ["1 restart", "2 restarts"]);
    }
}
