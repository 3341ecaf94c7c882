//! Questions of the reflection service and their answers. Both versions of the service have the same messages
//! (`grpc/grpc-proto grpc/reflection/v1/reflection.proto`).

use super::files::{File, Files};
use crate::codec::wire::{self, Value};

/// gRPC's numbers of the codes that answers can hold.
const INVALID_ARGUMENT: u64 = 3;
const NOT_FOUND: u64 = 5;
/// Longest question that is repeated in the answer's error text.
const MOST_ECHOED: usize = 256;

/// What is asked; borrowed from the request.
#[derive(Debug, PartialEq)]
enum Question<'a> {
    FileNamed(&'a str),
    FileDeclaring(&'a str),
    FileExtending(&'a str, u64),
    ExtensionsOf(&'a str),
    Services,
}

/// The encoded `ServerReflectionResponse` to an encoded `ServerReflectionRequest`. What is wrong with the question is
/// part of the answer; the stream goes on.
pub(crate) fn answer(files: Files<'_>, request: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, 1, host(request));
    wire::put_bytes(&mut out, 2, request);
    let (number, body) = match question(request) {
        Ok(question) => reply(files, &question),
        Err(problem) => error(INVALID_ARGUMENT, &problem),
    };
    wire::put_bytes(&mut out, number, &body);
    out
}

fn host(request: &[u8]) -> &[u8] {
    let hosts = wire::fields(request).map_while(Result::ok).filter(|f| f.number == 1);
    hosts.last().and_then(|f| if let Value::Bytes(b) = f.value { Some(b) } else { None }).unwrap_or_default()
}

fn question(request: &[u8]) -> Result<Question<'_>, String> {
    let mut asked = None; // of a oneof the last one counts
    for field in wire::fields(request) {
        let field = field.map_err(|e| e.to_string())?;
        let Value::Bytes(bytes) = field.value else { continue };
        let text = || std::str::from_utf8(bytes).map_err(|_| format!("field {} is not UTF-8", field.number));
        asked = match field.number {
            3 => Some(Question::FileNamed(text()?)),
            4 => Some(Question::FileDeclaring(text()?)),
            5 => Some(extension(bytes)?),
            6 => Some(Question::ExtensionsOf(text()?)),
            7 => Some(Question::Services),
            _ => asked,
        };
    }
    asked.ok_or_else(|| "the request asks for nothing that is known here".into())
}

/// `ExtensionRequest`.
fn extension(bytes: &[u8]) -> Result<Question<'_>, String> {
    let (mut of, mut number) = ("", 0);
    for field in wire::fields(bytes) {
        let field = field.map_err(|e| e.to_string())?;
        match (field.number, field.value) {
            (1, Value::Bytes(b)) => of = std::str::from_utf8(b).map_err(|_| "containing_type is not UTF-8")?,
            (2, Value::Varint(n)) => number = n,
            _ => {}
        }
    }
    Ok(Question::FileExtending(of, number))
}

/// The field of the response and its content.
fn reply(files: Files<'_>, question: &Question<'_>) -> (u32, Vec<u8>) {
    let echo = |s: &str| s.chars().take(MOST_ECHOED).collect::<String>();
    let with_imports = |file: Option<File<'_>>, what: &dyn Fn() -> String| match file {
        Some(file) => descriptors(files, file),
        None => error(NOT_FOUND, &what()),
    };
    match *question {
        Question::FileNamed(name) => with_imports(files.named(name), &|| format!("no file {:?} here", echo(name))),
        Question::FileDeclaring(symbol) => {
            with_imports(files.declaring(symbol), &|| format!("nothing is named {:?} here", echo(symbol)))
        }
        Question::FileExtending(of, number) => {
            let missing = || format!("no extension {number} of {:?} here", echo(of));
            with_imports(files.extending(of, number), &missing)
        }
        Question::ExtensionsOf(of) if files.declaring(of).is_none() => {
            error(NOT_FOUND, &format!("no message {:?} here", echo(of)))
        }
        Question::ExtensionsOf(of) => {
            let (mut body, mut packed) = (Vec::new(), Vec::new());
            wire::put_bytes(&mut body, 1, of.as_bytes());
            files.extensions(of).for_each(|n| wire::put_varint(&mut packed, n));
            wire::put_bytes(&mut body, 2, &packed);
            (5, body)
        }
        Question::Services => {
            let mut body = Vec::new();
            for name in files.services() {
                let mut service = Vec::new();
                wire::put_bytes(&mut service, 1, name.as_bytes());
                wire::put_bytes(&mut body, 1, &service);
            }
            (6, body)
        }
    }
}

fn descriptors(files: Files<'_>, file: File<'_>) -> (u32, Vec<u8>) {
    let mut body = Vec::new();
    for file in files.with_imports(file) {
        wire::put_bytes(&mut body, 1, file.as_bytes());
    }
    (4, body)
}

fn error(code: u64, message: &str) -> (u32, Vec<u8>) {
    let mut body = Vec::new();
    wire::put_number(&mut body, 1, code);
    wire::put_bytes(&mut body, 2, message.as_bytes());
    (7, body)
}

#[cfg(test)]
mod tests {
    use super::super::DESCRIPTORS;
    use super::*;
    use crate::serve::grpc::offer::Offer;

    /// The field of the answer and its content.
    fn ask(number: u32, text: &str) -> (u32, Vec<u8>) {
        let mut request = Vec::new();
        wire::put_bytes(&mut request, 1, b"node");
        wire::put_bytes(&mut request, number, text.as_bytes());
        split(&request)
    }

    fn split(request: &[u8]) -> (u32, Vec<u8>) {
        let response = answer(Files::of(DESCRIPTORS, Offer::WholeNode), request);
        let fields: Vec<_> = wire::fields(&response).map(|f| f.unwrap()).collect();
        assert_eq!((fields[0].number, fields[1].number, fields.len()), (1, 2, 3));
        assert_eq!(fields[0].value, Value::Bytes(host(request)));
        assert_eq!(fields[1].value, Value::Bytes(request));
        let Value::Bytes(body) = fields[2].value else { panic!("no message") };
        (fields[2].number, body.to_vec())
    }

    #[test]
    fn every_service_is_listed() {
        let (number, body) = ask(7, "");
        assert_eq!(number, 6);
        let body = String::from_utf8(body).unwrap();
        for name in ["v1alpha1.Pods", "Pods", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"] {
            assert!(body.contains(name), "{name}");
        }
        assert!(!body.contains("runtime"));
    }

    #[test]
    fn files_by_name_symbol_and_extension() {
        for (number, text) in [(3, "pods.proto"), (4, "Pods.ListPods"), (5, "\x0a\x1cgoogle.protobuf.FieldOptions\x10")]
        {
            let mut text = text.as_bytes().to_vec();
            if number == 5 {
                wire::put_varint(&mut text, 50700);
            }
            let mut request = Vec::new();
            wire::put_bytes(&mut request, number, &text);
            let (field, body) = split(&request);
            assert_eq!(field, 4, "{number}");
            assert!(wire::fields(&body).count() > 1, "{number}");
        }
        let (field, body) = ask(6, "google.protobuf.FieldOptions");
        assert_eq!((field, body.ends_with(b"\x12\x03\x8c\x8c\x03")), (5, true), "{body:?}");
        assert_eq!(ask(6, "v1alpha1.GetPodRequest").0, 5);
    }

    #[test]
    fn what_is_not_there_is_said_in_the_answer() {
        for (number, text, code) in [
            (3, "other.proto", NOT_FOUND),
            (4, "v1.Pods", NOT_FOUND),
            (5, "\x0a\x01x\x10\x01", NOT_FOUND),
            (6, "x", NOT_FOUND),
            (5, "\x0a\x09x", INVALID_ARGUMENT),
            (99, "", INVALID_ARGUMENT),
        ] {
            let (field, body) = ask(number, text);
            assert_eq!((field, body[1]), (7, code as u8), "{number} {text:?}");
        }
        assert_eq!(split(b"").0, 7);
        assert_eq!(split(b"\x22\x01\xff").0, 7);
    }
}
