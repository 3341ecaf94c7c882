//! JSON lines of a stream, and errors, in the form of grpc-gateway.
//!
//! An error frame carries the fields of both generations: `code`, `message`, `details` of `google.rpc.Status`
//! (gateway v2), and `grpcCode`, `httpCode`, `message`, `httpStatus`, `details` of `RuntimeStreamError` (gateway v1,
//! which the published REST reference describes).

use serde_json::Value;

use super::error::ExportError;
use crate::query::{json, Pod};

/// `{"result":{"pod":{…}}}`, without the end of the line.
pub(crate) fn result_frame(pod: &Pod, out: &mut String) {
    out.push_str("{\"result\":{\"pod\":");
    json::write(pod, out);
    out.push_str("}}");
}

/// The last line of a stream that failed, without its end.
pub(crate) fn error_frame(error: &ExportError) -> String {
    let (status, phrase) = error.http();
    let (code, message) = (error.code(), text(error));
    format!(
        r#"{{"error":{{"code":{code},"message":{message},"details":[],"grpcCode":{code},"httpCode":{status},"httpStatus":"{phrase}"}}}}"#
    )
}

/// The body of an answer that is an error, without the end of the line.
pub(crate) fn unary_error(error: &ExportError) -> String {
    let (code, message) = (error.code(), text(error));
    format!(r#"{{"code":{code},"message":{message},"details":[],"error":{message}}}"#)
}

fn text(error: &ExportError) -> Value {
    Value::from(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_serve_readers_of_both_generations() {
        let error = ExportError::Timeout(5);
        let frame: Value = serde_json::from_str(&error_frame(&error)).unwrap();
        let message = "the export took longer than the 5 s that were given";
        let want = json!({"error": {"code": 4, "message": message, "details": [], "grpcCode": 4, "httpCode": 504,
            "httpStatus": "Gateway Timeout"}});
        assert_eq!(frame, want);
        let unary: Value = serde_json::from_str(&unary_error(&ExportError::Message("\"".into()))).unwrap();
        let message = "the request cannot be read: \"";
        assert_eq!(unary, json!({"code": 3, "message": message, "details": [], "error": message}));
    }

    #[test]
    fn a_line_holds_a_pod() {
        let mut line = String::new();
        result_frame(&Pod { name: "a\nb".into(), ..Pod::default() }, &mut line);
        assert!(!line.contains('\n'));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["result"]["pod"]["name"], "a\nb");
    }
}
