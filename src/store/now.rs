//! What time it is: the pure core has no clock.

/// The time, as a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Milliseconds since the epoch, as the machine's clock has it: what is written into pods. It may jump either
    /// way; a node without a battery for its clock starts years ago.
    pub unix_ms: u64,
    /// Milliseconds since some moment before the start. It never jumps: what is waited for is counted in it.
    pub steady_ms: u64,
}
