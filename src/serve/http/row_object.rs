//! `includeObject`: what a row of a table carries besides its cells.

use super::query::Query;
use super::refusal::Refusal;

/// What stands beside the cells of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum RowObject {
    /// Nothing.
    None,
    /// The metadata.
    #[default]
    Metadata,
    /// The pod.
    Whole,
}

impl RowObject {
    /// Reads `includeObject`.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        match query.text("includeObject") {
            None | Some("Metadata") => Ok(Self::Metadata),
            Some("None") => Ok(Self::None),
            Some("Object") => Ok(Self::Whole),
            Some(other) => Err(Refusal::BadRequest(format!(
                "includeObject: unsupported value {other:?}: supported values: \"Metadata\", \"None\", \"Object\""
            ))),
        }
    }
}
