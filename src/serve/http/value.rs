//! Answers that are small values: no need to print them piece by piece.

use serde_json::Value;

use super::indent::Indenter;
use super::negotiate::{self, Media, Offer};
use super::refusal::Refusal;
use super::reply::{self, Reply};
use super::request::Request;
use crate::codec::yaml_print;

/// Answers with a value as JSON or YAML.
pub(crate) fn answer(request: &Request, value: &Value) -> Result<Reply, Refusal> {
    let form = negotiate::form(request, Offer::PLAIN)?;
    Ok(encode(form.media, value))
}

/// The value in this form, which is not protobuf.
pub(crate) fn encode(media: Media, value: &Value) -> Reply {
    match media {
        Media::Yaml => Reply::bytes("application/yaml", yaml_print::print(value).into_bytes()),
        Media::PrettyJson => {
            let mut out = Vec::new();
            Indenter::default().feed(&value.to_string(), &mut out);
            Reply::bytes(reply::JSON, out)
        }
        Media::Json | Media::Protobuf => Reply::bytes(reply::JSON, format!("{value}\n").into_bytes()),
    }
}

/// Sets a member of an object.
pub(crate) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}
