//! `--narrow-socket`: another socket that shows less, to readers who are not root.

use std::path::PathBuf;
use std::str::FromStr;

use super::values::Mode;
use crate::codec::mask::Mask;
use crate::pod::selector::{FieldSelector, LabelSelector, Selector};
use crate::store::narrow::Lens;

/// The keys, for messages and for the configuration file.
pub const KEYS: [&str; 8] =
    ["path", "group", "mode", "fields", "namespace", "label-selector", "field-selector", "redact"];

/// A socket with a reader's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarrowSocket {
    /// Its place.
    pub path: PathBuf,
    /// The group that may connect, by name or number; `None`: root alone.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: u32,
    /// What is shown.
    pub lens: Lens,
}

/// `key=value` pairs, with `;` between them: `path=/run/nodepods/logs.sock;group=adm;fields=metadata.name`.
impl FromStr for NarrowSocket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut path, mut group, mut mode, mut fields, mut redact) = (None, None, None, None, true);
        let mut selector = Selector::default();
        let mut seen: Vec<&str> = Vec::new();
        for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair}: key=value is expected"))?;
            let (key, value) = (key.trim(), value.trim());
            if seen.contains(&key) {
                return Err(format!("{key} stands here twice"));
            }
            seen.push(key);
            let wrong = |problem: &dyn std::fmt::Display| format!("{key}: {problem}");
            match key {
                "path" => path = Some(PathBuf::from(value)),
                "group" => group = Some(value.to_string()).filter(|group| !group.is_empty()),
                "mode" => mode = Some(value.parse::<Mode>().map_err(|e| wrong(&e))?.0),
                "fields" => fields = Some(Mask::parse(value).map_err(|e| wrong(&e))?),
                "namespace" => selector.namespace = Some(value.to_string()).filter(|name| !name.is_empty()),
                "label-selector" => selector.labels = LabelSelector::parse(value).map_err(|e| wrong(&e))?,
                "field-selector" => selector.fields = FieldSelector::parse(value).map_err(|e| wrong(&e))?,
                "redact" => {
                    redact = match value {
                        "env" | "true" => true,
                        "none" | "false" => false,
                        _ => return Err(wrong(&"env or none is expected")),
                    }
                }
                _ => return Err(format!("unknown key {key}; known are {}", KEYS.join(", "))),
            }
        }
        let path = path.filter(|p| p.is_absolute()).ok_or("path: an absolute path is expected")?;
        let mask = fields.ok_or("fields: say which fields are shown, as in metadata.name,status.phase, or *")?;
        let mode = mode.unwrap_or(if group.is_some() { 0o660 } else { 0o600 });
        if mode & 0o600 != 0o600 {
            return Err("mode: the owner needs read and write permission, such as 0660".into());
        }
        if mode & 0o007 != 0 {
            return Err("mode: others than the owner and the group cannot be let in, so 0660 or 0600".into());
        }
        Ok(Self { path, group, mode, lens: Lens { selector, mask, redact } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_of_it() {
        let text = "path=/run/n/logs.sock; group=adm; fields=metadata.name,status.phase; namespace=kube-system; \
                    label-selector=app in (a, b); field-selector=status.phase!=Failed; redact=none";
        let socket: NarrowSocket = text.parse().unwrap();
        assert_eq!(
            (socket.path.to_str(), socket.group.as_deref(), socket.mode),
            (Some("/run/n/logs.sock"), Some("adm"), 0o660)
        );
        assert_eq!(socket.lens.mask, Mask::parse("metadata.name,status.phase").unwrap());
        assert_eq!(socket.lens.selector.namespace.as_deref(), Some("kube-system"));
        assert!(!socket.lens.redact);
    }

    #[test]
    fn what_is_left_out_is_the_careful_choice() {
        let socket: NarrowSocket = "path=/x;fields=*".parse().unwrap();
        assert_eq!((socket.mode, socket.group), (0o600, None));
        assert!(socket.lens.redact && socket.lens.selector.is_everything() && socket.lens.mask.is_everything());
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, word) in [
            ("fields=*", "path: an absolute path"),
            ("path=x;fields=*", "path: an absolute path"),
            ("path=/x", "fields: say which"),
            ("path=/x;fields=metadata.nam", "fields: "),
            ("path=/x;fields=*;mode=0666", "others"),
            ("path=/x;fields=*;mode=0060", "owner"),
            ("path=/x;fields=*;colour=red", "unknown key colour; known are path"),
            ("path=/x;path=/y;fields=*", "twice"),
            ("path=/x;fields=*;redact=maybe", "env or none"),
            ("path=/x;fields", "key=value"),
            ("path=/x;fields=*;label-selector=a in", "label-selector: "),
        ] {
            let error = text.parse::<NarrowSocket>().unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
