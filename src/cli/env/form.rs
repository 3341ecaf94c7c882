//! The forms in which an environment is printed.

use serde_json::{json, Map, Value};

use crate::cli::exit::Failure;
use crate::cli::printable::printable;
use crate::downward::environment::{Environment, Variable};
use crate::downward::DownwardPod;

/// How an environment is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines of `NAME=value`, as env(1) prints them.
    Env,
    /// A script for any POSIX shell.
    Shell,
    /// One object.
    Json,
}

/// What is printed.
#[derive(Debug, Default)]
pub struct Text {
    /// To standard output.
    pub text: String,
    /// To standard error, where the form has no place for them.
    pub warnings: Vec<String>,
}

impl Form {
    /// Reads the value of `-o`.
    ///
    /// # Errors
    /// It is unknown: a usage error.
    pub fn read(output: Option<&str>) -> Result<Self, Failure> {
        match output {
            None | Some("" | "env") => Ok(Self::Env),
            Some("shell") => Ok(Self::Shell),
            Some("json") => Ok(Self::Json),
            Some(other) => {
                Err(Failure::usage("env", format!("unknown output format {other:?}; known are env, shell, json")))
            }
        }
    }

    /// Prints the environment of a container.
    #[must_use]
    pub fn print(self, pod: &DownwardPod, container: &str, environment: &Environment) -> Text {
        match self {
            Self::Env => {
                Text { text: environment.variables.iter().filter_map(line).collect(), warnings: notes(environment) }
            }
            Self::Shell => Text { text: script(pod, container, environment), warnings: Vec::new() },
            Self::Json => Text { text: format!("{:#}\n", object(pod, container, environment)), warnings: Vec::new() },
        }
    }
}

fn line(variable: &Variable) -> Option<String> {
    variable.value.as_ref().ok().map(|value| format!("{}={value}\n", variable.name))
}

/// What is not known, in words.
fn notes(environment: &Environment) -> Vec<String> {
    let unknown = environment.variables.iter().filter_map(|v| Some((&v.name, v.value.as_ref().err()?)));
    let mut notes: Vec<_> = unknown.map(|(name, why)| format!("{name} is not known here: {why}")).collect();
    notes.extend(environment.sources.iter().map(|s| format!("more variables are not known here: {s}")));
    notes.push(services(environment).into());
    notes
}

fn services(environment: &Environment) -> &'static str {
    if environment.service_links {
        "variables of services (KUBERNETES_SERVICE_HOST, ...) are not known here; without an API server there are none"
    } else {
        "variables of the service kubernetes (KUBERNETES_SERVICE_HOST, ...) are not known here; without an API server \
         there are none"
    }
}

fn script(pod: &DownwardPod, container: &str, environment: &Environment) -> String {
    let mut out = comment(&format!("The environment of container {container} of pod {}/{}.", pod.namespace, pod.name));
    for Variable { name, value } in &environment.variables {
        match value {
            Ok(value) if is_shell_name(name) => {
                out.push_str(&format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
            }
            Ok(_) => out.push_str(&comment(&format!("{name:?} is no name that a shell can export"))),
            Err(_) => {} // among the notes
        }
    }
    out.extend(notes(environment).iter().map(|note| comment(note)));
    out
}

/// One line, whatever the text holds.
fn comment(text: &str) -> String {
    format!("# {}\n", printable(text))
}

fn is_shell_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn object(pod: &DownwardPod, container: &str, environment: &Environment) -> Value {
    let variable = |v: &Variable| {
        let (key, value) = match &v.value {
            Ok(value) => ("value", value.clone()),
            Err(why) => ("unknown", why.to_string()),
        };
        Value::Object(Map::from_iter([("name".into(), v.name.clone().into()), (key.into(), value.into())]))
    };
    let mut unknown: Vec<String> = environment.sources.iter().map(ToString::to_string).collect();
    unknown.push(services(environment).into());
    json!({
        "namespace": pod.namespace,
        "pod": pod.name,
        "container": container,
        "variables": environment.variables.iter().map(variable).collect::<Vec<_>>(),
        "alsoUnknown": unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::spec::ResourceList;

    fn printed(form: &str) -> Text {
        let env = json!([
            {"name": "A", "value": "it's\ntwo lines"},
            {"name": "b.c-d", "value": "x"},
            {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "pw"}}},
        ]);
        let from = json!([{"configMapRef": {"name": "app"}}]);
        let spec = json!({"containers": [{"name": "main", "env": env, "envFrom": from}], "enableServiceLinks": false});
        let pod = DownwardPod::from_json(&json!({"name": "web", "namespace": "shop"}), &spec, &json!({}));
        let environment = Environment::of(&pod, "main", &ResourceList::new()).unwrap();
        Form::read(Some(form)).unwrap().print(&pod, "main", &environment)
    }

    const NOTES: [&str; 3] = [
        "PW is not known here: key pw of secret db",
        "more variables are not known here: all keys of config map app",
        "variables of the service kubernetes (KUBERNETES_SERVICE_HOST, ...) are not known here; without an API server there are none",
    ];

    #[test]
    fn lines_with_warnings_beside_them() {
        let got = printed("env");
        assert_eq!(got.text, "A=it's\ntwo lines\nb.c-d=x\n");
        assert_eq!(got.warnings, NOTES);
    }

    #[test]
    fn a_script_that_shells_read() {
        let got = printed("shell");
        let [pw, more, services] = NOTES;
        assert_eq!(
            got.text,
            format!(
                "# The environment of container main of pod shop/web.\nexport A='it'\\''s\ntwo lines'\n\
                 # \"b.c-d\" is no name that a shell can export\n# {pw}\n# {more}\n# {services}\n"
            )
        );
        let script = format!("{}printf %s \"$A\"", got.text);
        let out = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "it's\ntwo lines");
    }

    #[test]
    fn an_object() {
        let got: Value = serde_json::from_str(&printed("json").text).unwrap();
        assert_eq!(got["variables"][0], json!({"name": "A", "value": "it's\ntwo lines"}));
        assert_eq!(got["variables"][2], json!({"name": "PW", "unknown": "key pw of secret db"}));
        assert_eq!(got["alsoUnknown"][0], "all keys of config map app");
        assert!(Form::read(Some("xml")).is_err());
    }
}
