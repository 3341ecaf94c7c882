//! The command line in the one spelling that argh reads, from all those that kubectl's users type.
//!
//! argh takes `-o json` and `--output json` only. Here `--output=json`, `-ojson`, `-o=json`, `-Aojson`,
//! `--no-headers=true` and options before the verb become that; and errors name the option that was meant.

use std::ffi::OsString;

use super::command::{named, Verb};
use super::exit::Failure;
use super::options::{of_verb, OptionRow};
use super::verbs::{with_option, VERBS};
use crate::config::nearest::nearest;
use crate::config::options::proper_name;

/// A normalised command line. A value stands in an argument of its own, even where it begins with a dash.
#[derive(Debug)]
pub struct Argv {
    /// The verb; none where none is named.
    pub verb: Option<&'static Verb>,
    /// Whether help was asked for: the other arguments do not matter then.
    pub help: bool,
    /// Options, then `--`, then what is neither option nor verb.
    pub args: Vec<String>,
}

/// Normalises the arguments after the program's name.
///
/// # Errors
/// An argument is not UTF-8, the verb or an option is unknown, an option lacks its value, or a switch has one: usage
/// errors.
pub fn normalise(args: impl IntoIterator<Item = OsString>) -> Result<Argv, Failure> {
    let mut words = Vec::new();
    for arg in args {
        words.push(
            arg.into_string().map_err(|arg| Failure::usage("", format!("not UTF-8: {}", arg.to_string_lossy())))?,
        );
    }
    let mut reader =
        Reader { words: words.into_iter(), verb: None, options: Vec::new(), seen: Vec::new(), help: false };
    let plain = reader.read()?;
    let Reader { verb, options: mut args, seen, help, .. } = reader;
    if !help {
        known(verb, &seen)?;
    }
    if !plain.is_empty() {
        args.push("--".into());
        args.extend(plain);
    }
    Ok(Argv { verb, help, args })
}

/// Each option that was seen must be one of the verb's.
fn known(verb: Option<&Verb>, seen: &[String]) -> Result<(), Failure> {
    let name = verb.map_or("", |verb| verb.name);
    for option in seen {
        let own = of_verb(verb);
        if own.iter().any(|row| row.is(option)) {
            continue;
        }
        let elsewhere: Vec<_> = with_option(option).iter().map(|(verb, _)| verb.name).collect();
        let hint = if of_verb(None).iter().any(|row| row.is(option)) {
            "; it stands alone".to_string()
        } else if elsewhere.is_empty() {
            let near = nearest(option.trim_start_matches('-'), own.iter().map(|row| row.name));
            near.map(|n| format!("; did you mean --{n}?")).unwrap_or_default()
        } else {
            format!("; it belongs to {}", elsewhere.join(", "))
        };
        let of = if name.is_empty() { String::new() } else { format!(" for {name}") };
        return Err(Failure::usage(name, format!("unknown option {option}{of}{hint}")));
    }
    Ok(())
}

/// What `option` (`--name` or `-n`) means on this verb; before a verb is known, what it means on the first that has it.
fn find(verb: Option<&Verb>, option: &str) -> Option<OptionRow> {
    let own = of_verb(verb).into_iter().find(|row| row.is(option));
    own.or_else(|| if verb.is_some() { None } else { with_option(option).into_iter().next().map(|(_, row)| row) })
}

struct Reader {
    words: std::vec::IntoIter<String>,
    /// The first word that is no option.
    verb: Option<&'static Verb>,
    options: Vec<String>,
    /// The options as they were written, without values.
    seen: Vec<String>,
    help: bool,
}

impl Reader {
    /// Reads all words; returns those that are neither options nor the verb.
    fn read(&mut self) -> Result<Vec<String>, Failure> {
        let mut plain = Vec::new();
        while let Some(word) = self.words.next() {
            if word == "--" {
                for word in self.words.by_ref().collect::<Vec<_>>() {
                    self.plain(word, &mut plain)?;
                }
            } else if let Some(long) = word.strip_prefix("--") {
                self.long(long)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) {
                self.short(letters)?;
            } else {
                self.plain(word, &mut plain)?;
            }
        }
        Ok(plain)
    }

    fn plain(&mut self, word: String, plain: &mut Vec<String>) -> Result<(), Failure> {
        if self.verb.is_some() {
            plain.push(word);
            return Ok(());
        }
        if word == "help" {
            self.help = true; // the next word is the verb to explain
            return Ok(());
        }
        self.verb = named(VERBS, &word);
        if self.verb.is_some_and(Verb::is_greedy) && !self.help {
            plain.extend(self.words.by_ref()); // they are another program's
        }
        if self.verb.is_none() {
            return Err(Failure::usage("", format!("unknown command {word:?}{}", meant(&word))));
        }
        Ok(())
    }

    fn long(&mut self, text: &str) -> Result<(), Failure> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name == "help" {
            self.help = true;
            return Ok(());
        }
        let name = proper_name(name);
        let spelled = format!("--{name}");
        self.seen.push(spelled.clone());
        match find(self.verb, &spelled) {
            Some(row) if row.takes_value() => self.option(&row, &spelled, value.map(str::to_string)),
            Some(row) => match value {
                None | Some("true") => self.switch(&row),
                Some("false") => Ok(()),
                Some(other) => Err(Failure::usage(
                    self.verb.map_or("", |v| v.name),
                    format!("{spelled} is on or off: true or false, not {other:?}"),
                )),
            },
            None => Ok(()), // reported once the verb is known
        }
    }

    /// Letters of one word: switches, and at most one option that takes the rest as its value.
    fn short(&mut self, letters: &str) -> Result<(), Failure> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            if letter == 'h' {
                self.help = true;
                continue;
            }
            let spelled = format!("-{letter}");
            self.seen.push(spelled.clone());
            match find(self.verb, &spelled) {
                Some(row) if row.takes_value() => {
                    let value = rest.as_str();
                    let value = value.strip_prefix('=').unwrap_or(value);
                    let attached = !rest.as_str().is_empty();
                    return self.option(&row, &spelled, attached.then(|| value.to_string()));
                }
                Some(row) => self.switch(&row)?,
                None => return Ok(()), // reported once the verb is known
            }
        }
        Ok(())
    }

    fn switch(&mut self, row: &OptionRow) -> Result<(), Failure> {
        self.options.push(format!("--{}", row.name));
        Ok(())
    }

    fn option(&mut self, row: &OptionRow, spelled: &str, value: Option<String>) -> Result<(), Failure> {
        let value = value.or_else(|| self.words.next());
        let value = value.ok_or_else(|| {
            Failure::usage(self.verb.map_or("", |v| v.name), format!("{spelled} needs a value: {}", row.hint))
        })?;
        self.options.extend([format!("--{}", row.name), value]);
        Ok(())
    }
}

/// What somebody who knows other tools wanted, in front of a full stop.
fn meant(word: &str) -> String {
    let name = match word {
        "pod" | "pods" | "po" => Some("get pods"),
        "ls" | "list" | "ps" | "status" => Some("get"),
        "events" | "api-resources" => return format!("; did you mean kubectl {word}?"),
        "apply" | "attach" | "create" | "cp" | "debug" | "delete" | "edit" | "exec" | "patch" | "port-forward"
        | "rm" | "rollout" | "run" | "scale" | "start" | "stop" | "restart" | "top" => {
            return ": nodepods shows pods and changes nothing; for containers there is crictl, for manifests an editor".into();
        }
        _ => nearest(word, VERBS.iter().map(|verb| verb.name)),
    };
    name.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::cli::exit::Exit;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(Into::into).collect()
    }

    /// Verb, then the arguments as argh sees them.
    fn read(line: &str) -> String {
        let argv = normalise(words(line)).unwrap_or_else(|f| panic!("{line}: {f}"));
        assert!(!argv.help, "{line}");
        [&[argv.verb.map_or("", |v| v.name).to_string()][..], &argv.args].concat().join(" ")
    }

    #[test]
    fn spellings_come_to_one() {
        let table = [
            ("", ""),
            ("get", "get"),
            ("get pods", "get -- pods"),
            ("get pods -o json", "get --output json -- pods"),
            ("get pods -ojson", "get --output json -- pods"),
            ("get pods -o=json", "get --output json -- pods"),
            ("get pods --output json", "get --output json -- pods"),
            ("get pods --output=json", "get --output json -- pods"),
            ("get --output=jsonpath=a=b", "get --output jsonpath=a=b"),
            ("get --namespace= web", "get --namespace  -- web"),
            ("get -Aojson", "get --all-namespaces --output json"),
            ("get -A -n kube-system", "get --all-namespaces --namespace kube-system"),
            ("-n x get pods", "get --namespace x -- pods"),
            ("get --no-headers=true", "get --no-headers"),
            ("get --no-headers=false", "get"),
            ("get -n -x", "get --namespace -x"),
            ("get -- -o json", "get -- -o json"),
            ("get -", "get -- -"),
            ("serve --pod-manifest-url=http://h/", "serve --manifest-url http://h/"),
            ("serve -vv --socket /a --socket=/b", "serve --verbose --verbose --socket /a --socket /b"),
            ("kubectl get pods -A -o wide -- x", "kubectl -- get pods -A -o wide -- x"),
            ("--http-socket /s kubectl logs -f --help", "kubectl --http-socket /s -- logs -f --help"),
            ("--version", " --version"),
        ];
        for (line, want) in table {
            assert_eq!(read(line), want, "{line}");
        }
    }

    #[test]
    fn help_wins_wherever_it_stands() {
        for line in [
            "-h",
            "--help",
            "get -h",
            "-h get",
            "get pods -o json --help",
            "help",
            "help get",
            "get --bogus -h",
            "get -Ah",
        ] {
            assert!(normalise(words(line)).unwrap().help, "{line}");
        }
        assert!(!normalise(words("get -- --help")).unwrap().help);
        assert!(!normalise(words("get -n -h")).unwrap().help);
    }

    #[test]
    fn usage_errors_name_what_was_meant() {
        let table = [
            ("gte pods", "unknown command \"gte\"; did you mean get?"),
            ("frobnicate", "unknown command \"frobnicate\"\n"),
            ("pods", "unknown command \"pods\"; did you mean get pods?"),
            ("ps", "unknown command \"ps\"; did you mean get?"),
            ("events -A", "unknown command \"events\"; did you mean kubectl events?"),
            ("delete pod web", "unknown command \"delete\": nodepods shows pods and changes nothing"),
            ("get --ouptut json", "unknown option --ouptut for get; did you mean --output?"),
            ("get -x", "unknown option -x for get"),
            ("get -Axo", "unknown option -x for get"),
            ("get --state-dir /x", "unknown option --state-dir for get; it belongs to serve"),
            ("serve -o json", "unknown option -o for serve; it belongs to get, watch"),
            ("get --version", "unknown option --version for get; it stands alone"),
            ("get -o", "-o needs a value: wide|json|yaml|name"),
            ("serve --socket", "--socket needs a value: PATH"),
            ("get --no-headers=maybe", "--no-headers is on or off: true or false, not \"maybe\""),
        ];
        for (line, want) in table {
            let failure = normalise(words(line)).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{line}");
            assert!(failure.message.contains(want), "{line}: {failure}");
        }
        let failure = normalise([OsString::from("get"), OsString::from_vec(vec![b'a', 0xff])]).unwrap_err();
        assert_eq!((failure.exit, failure.message.contains("not UTF-8: a")), (Exit::Usage, true));
    }
}
