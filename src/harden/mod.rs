//! What the daemon gives up, so that somebody who takes it over has little: capabilities, new privileges, core dumps,
//! files and networks it does not need, system calls it does not make.
//!
//! It happens in two steps, since what is given up holds for later threads only (seccomp alone holds for all):
//! [`renounce`] before the first thread, [`confine`] once the sockets are bound, before gRPC starts its threads.
//! Each measure has a switch ([`Switches`]).

mod landlock;
pub mod places;
#[cfg_attr(not(target_pointer_width = "64"), path = "no_seccomp.rs")]
mod seccomp;
pub mod switches;

use std::fmt;
use std::io;

use self::places::Places;
use self::switches::Switches;
use crate::sys::privilege::{self, Capability};
use ::landlock::RulesetStatus;

/// What root may do here: read logs and manifests that belong to others, connect to their sockets.
const KEPT: [Capability; 2] = [Capability::DacOverride, Capability::DacReadSearch];

/// A measure that failed. Each has a switch, which the message names.
#[derive(Debug)]
pub enum HardenError {
    /// The kernel refused to take a privilege away.
    Privilege {
        /// The option that turns the measure off.
        option: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Landlock refused a rule, or has not all that is required.
    Landlock(Box<::landlock::RulesetError>),
    /// The system call filter cannot be set.
    Seccomp(seccompiler::Error),
}

impl fmt::Display for HardenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privilege { option, source } => {
                write!(f, "cannot give up privileges: {source}; {option} off starts without that")
            }
            Self::Landlock(e) => write!(f, "cannot confine file access: {e}; --landlock off starts without that"),
            Self::Seccomp(e) => write!(f, "cannot filter system calls: {e}; --seccomp off starts without that"),
        }
    }
}

impl std::error::Error for HardenError {}

/// Gives up what no part of the daemon needs. `gives_files_away`: sockets get a group of their own, at each time that
/// they are made. Call it before the first thread.
///
/// # Errors
/// The kernel refuses.
pub fn renounce(switches: &Switches, gives_files_away: bool) -> Result<(), HardenError> {
    let failed = |option| move |source| HardenError::Privilege { option, source };
    if switches.no_new_privileges {
        privilege::deny_new_privileges().map_err(failed("--no-new-privileges"))?;
    }
    if switches.no_core_dumps {
        privilege::deny_core_dumps().map_err(failed("--no-core-dumps"))?;
    }
    if switches.drop_capabilities {
        let mut keep = KEPT.to_vec();
        if gives_files_away {
            keep.push(Capability::Chown);
        }
        privilege::keep_capabilities(&keep).map_err(failed("--drop-capabilities"))?;
    }
    Ok(())
}

/// Shuts the calling thread and all later ones into `places`, and the whole process into its list of system calls.
/// Says what is in force, for the log.
///
/// # Errors
/// The kernel refuses.
pub fn confine(switches: &Switches, places: &Places) -> Result<String, HardenError> {
    let files = landlock::confine(switches.landlock, places).map_err(|e| HardenError::Landlock(e.into()))?;
    let calls = seccomp::confine(switches.seccomp).map_err(HardenError::Seccomp)?;
    let files = match files {
        RulesetStatus::FullyEnforced => "files confined by Landlock",
        RulesetStatus::PartiallyEnforced => "files confined as far as this kernel's Landlock goes",
        RulesetStatus::NotEnforced => "files not confined",
    };
    let calls = match (calls, switches.seccomp) {
        (true, switches::Seccomp::Log) => "unexpected system calls logged",
        (true, _) => "system calls filtered",
        (false, _) => "system calls not filtered",
    };
    Ok(format!("{files}, {calls}"))
}
