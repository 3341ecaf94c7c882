//! What of a log is wanted.

use crate::pod::log_line::LogFilter;

/// The options that are the same wherever the log comes from.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Which lines, and how.
    pub filter: LogFilter,
    /// Only so many lines from the end.
    pub tail: Option<u64>,
    /// Go on with what is written.
    pub follow: bool,
    /// The instance before this one.
    pub previous: bool,
    /// With the pod and the container in front of each line.
    pub prefix: bool,
}

impl Wish {
    /// What stands in front of each line.
    pub fn prefix(&self, pod: &str, container: &str) -> String {
        if self.prefix {
            format!("[pod/{pod}/{container}] ")
        } else {
            String::new()
        }
    }

    /// The same as options of the API (`kubernetes/api core/v1`, PodLogOptions).
    pub fn options(&self, container: &str) -> Vec<(&'static str, String)> {
        let mut options = vec![("container", container.to_owned())];
        options.extend(self.filter.since.map(|since| ("sinceTime", since.to_string())));
        options.extend(self.filter.limit_bytes.map(|limit| ("limitBytes", limit.to_string())));
        options.extend(self.tail.map(|lines| ("tailLines", lines.to_string())));
        let switches = [
            ("timestamps", self.filter.timestamps),
            ("previous", self.previous),
            ("follow", self.follow && !self.previous),
        ];
        options.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| (*name, "true".to_owned())));
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::time::Time;

    #[test]
    fn options_of_the_api() {
        let as_text = |wish: &Wish| {
            wish.options("main").iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
        };
        assert_eq!(as_text(&Wish::default()), "container=main");
        let filter =
            LogFilter { since: Some(Time::from_unix(0)), timestamps: true, stream: None, limit_bytes: Some(9) };
        let wish = Wish { filter, tail: Some(0), follow: true, previous: false, prefix: true };
        let want = "container=main&sinceTime=1970-01-01T00:00:00Z&limitBytes=9&tailLines=0&timestamps=true&follow=true";
        assert_eq!(as_text(&wish), want);
        assert_eq!(as_text(&Wish { follow: true, previous: true, ..Wish::default() }), "container=main&previous=true");
        assert_eq!(wish.prefix("web", "main"), "[pod/web/main] ");
    }
}
