//! The requests of `v1.PodService`, read from their bytes. Fields: `proto/api/v1/{pod_service,search_service,pagination}.proto`.

use super::page::{Pagination, SortOption};
use crate::codec::wire::{fields, Value, WireError};

/// `v1.RawQuery`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawQuery {
    /// The query.
    pub query: String,
    /// Which of the pods.
    pub pagination: Pagination,
}

/// `v1.ExportPodRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportRequest {
    /// Seconds; 0 for no limit.
    pub timeout: i32,
    /// The query.
    pub query: String,
}

impl RawQuery {
    /// Reads an encoded message.
    ///
    /// # Errors
    /// The bytes are not a protobuf message.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut request = Self::default();
        for field in fields(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(value)) => request.query = text(value)?,
                (2, Value::Bytes(value)) => request.pagination = pagination(value)?,
                _ => {}
            }
        }
        Ok(request)
    }
}

impl ExportRequest {
    /// Reads an encoded message.
    ///
    /// # Errors
    /// The bytes are not a protobuf message.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut request = Self::default();
        for field in fields(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Varint(value)) => request.timeout = value as i32,
                (2, Value::Bytes(value)) => request.query = text(value)?,
                _ => {}
            }
        }
        Ok(request)
    }
}

fn pagination(bytes: &[u8]) -> Result<Pagination, WireError> {
    let (mut pagination, mut one) = (Pagination::default(), None);
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Varint(value)) => pagination.limit = value as i32,
            (2, Value::Varint(value)) => pagination.offset = value as i32,
            (3, Value::Bytes(value)) => one = Some(sort_option(value)?),
            (4, Value::Bytes(value)) => pagination.sort.push(sort_option(value)?),
            _ => {}
        }
    }
    if pagination.sort.is_empty() {
        pagination.sort.extend(one);
    }
    Ok(pagination)
}

fn sort_option(bytes: &[u8]) -> Result<SortOption, WireError> {
    let mut option = SortOption::default();
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(value)) => option.field = text(value)?,
            (2, Value::Varint(value)) => option.reversed = value != 0,
            (3, Value::Bytes(value)) => {
                for field in fields(value) {
                    if let (1, Value::Varint(function)) = field.map(|f| (f.number, f.value))? {
                        option.aggregated = function != 0;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(option)
}

fn text(bytes: &[u8]) -> Result<String, WireError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| WireError { offset: 0, problem: "a text is not UTF-8" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::wire::{put_bytes, put_number};
    use proptest::prelude::*;

    fn sort(field: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, field.as_bytes());
        out
    }

    #[test]
    fn a_raw_query() {
        let (mut bytes, mut page, mut by) = (Vec::new(), Vec::new(), sort("Namespace"));
        put_number(&mut by, 2, 1);
        put_bytes(&mut by, 3, b"\x08\x02");
        put_number(&mut page, 1, 5);
        put_number(&mut page, 2, -1i64 as u64);
        put_bytes(&mut page, 3, &by);
        put_bytes(&mut bytes, 1, b"Node:n1");
        put_bytes(&mut bytes, 2, &page);
        let option = SortOption { field: "Namespace".into(), reversed: true, aggregated: true };
        let pagination = Pagination { limit: 5, offset: -1, sort: vec![option] };
        assert_eq!(RawQuery::decode(&bytes), Ok(RawQuery { query: "Node:n1".into(), pagination }));
        put_bytes(&mut page, 4, &sort("Node"));
        put_bytes(&mut page, 4, &sort("Pod Name"));
        let read = super::pagination(&page).unwrap();
        assert_eq!(read.sort.iter().map(|s| s.field.as_str()).collect::<Vec<_>>(), ["Node", "Pod Name"]);
        assert_eq!(RawQuery::decode(b""), Ok(RawQuery::default()));
    }

    #[test]
    fn an_export_request() {
        let want = ExportRequest { timeout: 5, query: "a".into() };
        assert_eq!(ExportRequest::decode(b"\x08\x05\x12\x01a"), Ok(want));
        assert!(ExportRequest::decode(b"\x12\x05a").is_err());
        assert!(ExportRequest::decode(b"\x12\x01\xff").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = (RawQuery::decode(&bytes), ExportRequest::decode(&bytes));
        }
    }
}
