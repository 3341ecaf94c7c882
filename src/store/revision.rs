//! Revisions: numbers that only grow, over restarts too.

/// How far a start leaps beyond the persisted revision: more changes than happen between two writes of the file.
pub const LEAP: u64 = 1 << 20;

/// The revision of the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision(u64);

impl Revision {
    /// The first revision of a run: beyond everything a former run may have served, whatever the clock says.
    /// `persisted` is what was last written down; `wall_ms` are milliseconds since the epoch.
    #[must_use]
    pub fn start(persisted: Option<u64>, wall_ms: u64) -> Self {
        Self(persisted.map_or(0, |p| p.saturating_add(LEAP)).max(wall_ms).max(1))
    }

    /// The current revision.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// Takes the next revision.
    pub fn advance(&mut self) -> u64 {
        self.0 = self.0.saturating_add(1);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_beyond_the_past() {
        let table = [
            (None, 5_000, 5_000),
            (Some(100), 5_000_000, 5_000_000),
            (Some(5_000_000), 5_000_000, 5_000_000 + LEAP),
            // The clock was set back.
            (Some(5_000_000), 7, 5_000_000 + LEAP),
            (Some(u64::MAX), 7, u64::MAX),
            (None, 0, 1),
        ];
        for (persisted, wall, want) in table {
            assert_eq!(Revision::start(persisted, wall).get(), want, "{persisted:?} {wall}");
        }
        let mut revision = Revision::start(None, 10);
        assert_eq!((revision.advance(), revision.get()), (11, 11));
    }
}
