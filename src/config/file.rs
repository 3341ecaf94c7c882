//! The configuration file: a YAML mapping whose keys are the option names.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::nearest::nearest;
use super::options::{self, FillError, ServeOptions, KEYS};
use crate::codec::yaml::{self, Document, Mark};

/// Where the file is looked for.
pub const DEFAULT_PATH: &str = "/etc/nodepods/config.yaml";
/// More than this is no configuration.
const MAX_BYTES: u64 = 1 << 20;

/// Why a configuration file is refused.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read.
    Read(PathBuf, std::io::Error),
    /// It is something else than a file, which would be waited for: a pipe, a directory.
    NotAFile(PathBuf),
    /// It is larger than a configuration can be.
    TooLarge(PathBuf),
    /// Something at a place in it is wrong.
    Content {
        /// The file.
        path: PathBuf,
        /// Line and column, from 1.
        place: (u32, u32),
        /// What is wrong there, and what to write instead.
        problem: String,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, e) => {
                write!(f, "cannot read the configuration file {}: {e}", path.display())?;
                f.write_str(match e.kind() {
                    std::io::ErrorKind::NotFound => "; write it, or name another one",
                    std::io::ErrorKind::PermissionDenied => "; it is for root alone: try sudo",
                    _ => "",
                })
            }
            Self::NotAFile(path) => {
                write!(f, "the configuration {} is no regular file; name a YAML file", path.display())
            }
            Self::TooLarge(path) => {
                write!(
                    f,
                    "the configuration file {} is larger than {MAX_BYTES} bytes; is it the right one?",
                    path.display()
                )
            }
            Self::Content { path, place: (line, column), problem } => {
                write!(f, "{}:{line}:{column}: {problem}", path.display())
            }
        }
    }
}

impl std::error::Error for FileError {}

/// Reads the file and fills in what `options` leave open. With no path, the default file is read if it exists.
/// Returns the path that was read.
///
/// # Errors
/// The file cannot be read, or something in it is wrong: nothing is taken from it then.
pub fn fill(options: &mut ServeOptions) -> Result<Option<PathBuf>, FileError> {
    let path = options.config.clone().unwrap_or_else(|| DEFAULT_PATH.into());
    let content = match read(&path) {
        Ok(content) => content,
        Err(FileError::Read(_, e)) if options.config.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    let mut filled = options.clone();
    fill_from(&mut filled, &content).map_err(|(place, problem)| FileError::Content {
        path: path.clone(),
        place,
        problem,
    })?;
    *options = filled;
    Ok(Some(path))
}

/// Where a key stands in the file, as `PATH:LINE:COLUMN: ` in front of what is wrong with its value beside others. Nothing
/// where it is not there: it comes from the command line.
#[must_use]
pub fn place_of(path: Option<&Path>, key: &str) -> String {
    let locate = |path: &Path| {
        let Mark { line, column } = yaml::parse_config(&read(path).ok()?).ok()?.marks.locate(key)?;
        Some(format!("{}:{line}:{column}: ", path.display()))
    };
    path.and_then(locate).unwrap_or_default()
}

/// The first socket that the file names, for clients. A missing or unreadable file names none.
#[must_use]
pub fn first_socket() -> Option<PathBuf> {
    let mut options = ServeOptions::default();
    fill_from(&mut options, &read(Path::new(DEFAULT_PATH)).ok()?).ok()?;
    options.socket.into_iter().next()
}

/// The first socket for HTTP that the file names, for clients; `none` is none.
#[must_use]
pub fn first_http_socket() -> Option<PathBuf> {
    let mut options = ServeOptions::default();
    fill_from(&mut options, &read(Path::new(DEFAULT_PATH)).ok()?).ok()?;
    options.http_socket.into_iter().next().filter(|path| path.as_os_str() != "none")
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    use std::io::Read;
    let failed = |e| FileError::Read(path.into(), e);
    let mut content = Vec::new();
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FileError::NotAFile(path.into()));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(FileError::TooLarge(path.into()));
    }
    Ok(content)
}

type Problem = ((u32, u32), String);

fn fill_from(options: &mut ServeOptions, content: &[u8]) -> Result<(), Problem> {
    let document = yaml::parse_config(content).map_err(|e| ((e.line, e.column), e.problem))?;
    if let Some(twice) = document.duplicates.first() {
        return Err((
            place(twice.mark),
            format!("the key {} stands here a second time; remove one of them", twice.path),
        ));
    }
    match &document.value {
        Value::Null => Ok(()),
        Value::Object(keys) => keys.iter().try_for_each(|(key, value)| take(options, &document, key, value)),
        _ => Err(((1, 1), "a mapping of options to values is expected, such as `init-timeout: 15s`".into())),
    }
}

fn place(mark: Mark) -> (u32, u32) {
    (mark.line, mark.column)
}

fn take(options: &mut ServeOptions, document: &Document, key: &str, value: &Value) -> Result<(), Problem> {
    let at = |path: &str| document.marks.locate(path).map_or((1, 1), place);
    let name = options::proper_name(key);
    if !KEYS.contains(&name) {
        let hint = match key {
            "config" | "verbose" => "; it is an option of the command line alone".to_string(),
            _ => nearest(key, KEYS.iter().copied()).map_or_else(
                || "; 'nodepods serve --help' has all of them".into(),
                |known| format!("; did you mean {known}?"),
            ),
        };
        return Err((at(key), format!("unknown key {key}{hint}")));
    }
    let values = match value {
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| Ok((format!("{key}[{i}]"), v))).collect(),
        single => Ok::<_, Problem>(vec![(key.to_string(), single)]),
    }?;
    let texts = values.iter().map(|(path, v)| text(key, v).map_err(|problem| (at(path), format!("{path}: {problem}"))));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    options.fill(name, &texts).map_err(|e| match e {
        FillError::UnknownKey => (at(key), format!("unknown key {key}")),
        FillError::NotAList => (at(key), format!("{key}: one value is expected, not a list; write {key}: VALUE")),
        FillError::Value(i, problem) => {
            let path = values.get(i).map_or(key, |(path, _)| path);
            match texts.get(i).filter(|_| !["narrow-socket", "socket-mode"].contains(&key)) {
                Some(text) => (at(path), format!("{path}: {text:?}: {problem}")),
                None => (at(path), format!("{path}: {problem}")),
            }
        }
    })
}

/// A value of a narrow socket's mapping as it would stand on the command line.
fn part(key: &str, value: &Value) -> Result<String, &'static str> {
    let text = match value {
        Value::Array(list) => list.iter().map(|value| part(key, value)).collect::<Result<Vec<_>, _>>()?.join(","),
        value => text(if key == "mode" { "socket-mode" } else { key }, value)?,
    };
    if text.contains(';') {
        return Err("a ';' has no place in it");
    }
    Ok(text)
}

/// A scalar as it would stand on the command line.
fn text(key: &str, value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        // In YAML, 0600 is an octal number already.
        Value::Number(n) if key == "socket-mode" => Ok(n.as_u64().map_or_else(|| n.to_string(), |n| format!("{n:o}"))),
        Value::Number(n) => Ok(n.to_string()),
        Value::Bool(b) => Ok(b.to_string()),
        Value::Null => Err("a value is missing; write one, or remove the key"),
        Value::Object(pairs) if key == "narrow-socket" => {
            pairs.iter().try_fold(String::new(), |mut all, (key, value)| {
                all.push_str(key);
                all.push('=');
                all.push_str(&part(key, value)?);
                all.push(';');
                Ok(all)
            })
        }
        Value::Array(_) | Value::Object(_) => Err("a plain value is expected, no list or mapping"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::Mode;

    fn parse(content: &str) -> Result<ServeOptions, Problem> {
        let mut options = ServeOptions::default();
        fill_from(&mut options, content.as_bytes()).map(|()| options)
    }

    #[test]
    fn options_by_their_names() {
        let options =
            parse("# the node\nsocket:\n- /run/a.sock\n- /run/b.sock\nsocket-mode: 0640\nallow-uid: [1000]\nmax-watchers: 7\n")
                .unwrap();
        assert_eq!(options.socket, [PathBuf::from("/run/a.sock"), "/run/b.sock".into()]);
        assert_eq!(options.socket_mode, Some(Mode(0o640)));
        assert_eq!((options.allow_uid, options.max_watchers), (vec![1000], Some(7)));
        assert_eq!(parse("socket-mode: \"0600\"\nsocket: /run/a.sock").unwrap().socket_mode, Some(Mode(0o600)));
        assert_eq!(parse("").unwrap(), ServeOptions::default());
        assert_eq!(parse("# nothing yet\n").unwrap(), ServeOptions::default());
    }

    #[test]
    fn errors_name_the_place_and_the_way_out() {
        let table = [
            ("init-timeout: 5s\nsokcet: /run/a.sock\n", 2, "unknown key sokcet; did you mean socket?"),
            ("static-pods: x\n", 1, "unknown key static-pods; 'nodepods serve --help' has all of them"),
            ("config: x\n", 1, "an option of the command line alone"),
            ("\ninit-timeout: 5\n", 2, "init-timeout: \"5\": the unit is missing"),
            ("init-timeout: [5s, 6s]\n", 1, "init-timeout: one value is expected, not a list"),
            ("init-timeout:\n", 1, "init-timeout: a value is missing"),
            ("socket:\n- /a\n- {b: c}\n", 3, "socket[1]: a plain value is expected, no list or mapping"),
            ("allow-uid: [0, root]\n", 1, "allow-uid[1]: \"root\": a whole number is expected"),
            ("socket-mode: 600\n", 1, "socket-mode: permission bits are expected in octal"),
            ("- socket\n", 1, "a mapping of options to values is expected"),
            ("init-timeout: 5s\ninit-timeout: 6s\n", 2, "init-timeout"),
            ("socket: [\n", 2, ""),
        ];
        for (content, line, problem) in table {
            let ((at, _), text) = parse(content).unwrap_err();
            assert!(text.contains(problem), "{content:?}: {text}");
            assert_eq!(at, line, "{content:?}: {text}");
        }
    }

    #[test]
    fn a_named_file_must_be_there_and_the_default_one_need_not() {
        let mut options = ServeOptions { config: Some("/nonexistent/x.yaml".into()), ..ServeOptions::default() };
        let error = fill(&mut options).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the configuration file /nonexistent/x.yaml: "), "{error}");
    }

    #[test]
    fn a_broken_file_changes_nothing() {
        let dir = crate::testdir::TestDir::new();
        let path = dir.path("config.yaml");
        std::fs::write(&path, "max-watchers: 7\nnonsense: 1\n").unwrap();
        let before = ServeOptions { config: Some(path.clone()), ..ServeOptions::default() };
        let mut options = before.clone();
        let error = fill(&mut options).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}:2:1: unknown key nonsense", path.display())), "{error}");
        assert_eq!(options, before);
    }
}
