//! The forms in which objects are printed: `-o`.

use std::fs;

use super::custom_columns::CustomColumns;
use super::exit::{Exit, Failure};
use super::objects::{self, Format};
use super::screen::Screen;
use crate::codec::pod_bytes::PodBytes;
use crate::pod::jsonpath::Template;
use crate::pod::lookup::text;

/// What is printed of a pod, or of a list of them.
#[derive(Clone, Debug)]
pub enum Form {
    /// kubectl's columns.
    Table {
        /// With the columns of `-o wide`.
        wide: bool,
    },
    /// The whole object.
    Object(Format),
    /// `pod/NAME`.
    Name,
    /// A template.
    JsonPath(Template),
    /// Columns of one's own.
    Columns(CustomColumns),
}

/// What `-o` understands, for error messages.
const KNOWN: &str =
    "wide, json, yaml, name, jsonpath=TEMPLATE, jsonpath-file=PATH, custom-columns=SPEC, custom-columns-file=PATH";

/// Whether `-o json` is given to a verb that knows no other form.
///
/// # Errors
/// Another form is given: a usage error.
pub fn is_json(verb: &str, output: Option<&str>) -> Result<bool, Failure> {
    match output {
        None | Some("") => Ok(false),
        Some("json") => Ok(true),
        Some(other) => Err(Failure::usage(verb, format!("unknown output format {other:?}; json is known"))),
    }
}

impl Form {
    /// Reads the value of `-o`.
    ///
    /// # Errors
    /// It is unknown, its template or columns cannot be read, or its file: usage errors.
    pub fn read(verb: &str, output: Option<&str>) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::usage(verb, problem);
        let output = output.unwrap_or_default();
        let (name, rest) = output.split_once('=').map_or((output, None), |(name, rest)| (name, Some(rest)));
        let file =
            |path: &str| fs::read_to_string(path).map_err(|e| wrong(format!("--output: cannot read {path}: {e}")));
        let template = |text: &str| match Template::parse(text) {
            Ok(template) => Ok(Self::JsonPath(template)),
            Err(e) => Err(wrong(format!("jsonpath: {text:?}: {e}"))),
        };
        match (name, rest) {
            ("", None) => Ok(Self::Table { wide: false }),
            ("wide", None) => Ok(Self::Table { wide: true }),
            ("json", None) => Ok(Self::Object(Format::Json)),
            ("yaml", None) => Ok(Self::Object(Format::Yaml)),
            ("name", None) => Ok(Self::Name),
            ("jsonpath", Some(text)) => template(text),
            ("jsonpath-file", Some(path)) => template(&file(path)?),
            ("custom-columns", Some(spec)) => CustomColumns::parse(spec).map(Self::Columns).map_err(wrong),
            ("custom-columns-file", Some(path)) => match CustomColumns::parse_file(&file(path)?) {
                Ok(columns) => Ok(Self::Columns(columns)),
                Err(problem) => Err(wrong(format!("{path}: {problem}"))),
            },
            ("jsonpath" | "custom-columns", None) => {
                Err(wrong(format!("-o {name} needs a value: -o {name}=..., in quotes")))
            }
            _ => Err(wrong(format!("unknown output format {output:?}; known are {KNOWN}"))),
        }
    }

    /// The text of `pods`: of one alone, or of a list. A table is not made here.
    ///
    /// # Errors
    /// The server sent something that is no pod, or a template does not fit.
    pub fn text(&self, pods: &[PodBytes], alone: bool, headings: bool, screen: Screen) -> Result<String, Failure> {
        let failed = |problem: String| Failure::new(Exit::Failure, format!("error: {problem}"));
        match self {
            Self::Table { .. } => Ok(String::new()),
            Self::Name => Ok(pods.iter().map(|pod| format!("pod/{}\n", text(pod, "metadata.name"))).collect()),
            Self::Object(format) => match pods {
                [pod] if alone => objects::single(pod, *format),
                pods => objects::list(pods, *format),
            },
            Self::JsonPath(template) => {
                let value = match pods {
                    [pod] if alone => objects::value(pod)?,
                    pods => objects::list_value(pods)?,
                };
                template.print(&value).map_err(|e| failed(format!("jsonpath: {e}")))
            }
            Self::Columns(columns) => {
                let objects = pods.iter().map(objects::value).collect::<Result<Vec<_>, _>>()?;
                columns.print(&objects, headings, screen).map_err(failed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_wrong_say_what_is_known() {
        for (output, want) in [
            ("xml", "unknown output format \"xml\"; known are wide, json"),
            ("json=x", "unknown output format"),
            ("jsonpath", "-o jsonpath needs a value"),
            ("jsonpath={.a", "at character 1: unclosed action"),
            ("custom-columns=NAME", "is no HEADING:PATH"),
            ("jsonpath-file=/no/such", "cannot read /no/such"),
        ] {
            let failure = Form::read("get", Some(output)).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.contains(want), "{output}: {failure}");
        }
    }
}
