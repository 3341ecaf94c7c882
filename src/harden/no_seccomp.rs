//! In the place of the filter where there is none: `seccompiler` writes filters for 64-bit machines alone.

use super::switches::Seccomp;

/// False: no call is filtered, and the log says so.
///
/// # Errors
/// None. The type is that of the filter.
pub fn confine(_: Seccomp) -> Result<bool, seccompiler::Error> {
    Ok(false)
}
