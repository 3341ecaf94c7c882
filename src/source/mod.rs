//! Where pods come from: one named thread a source.
