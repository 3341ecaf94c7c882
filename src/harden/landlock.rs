//! Landlock: files outside the granted places cannot be opened, TCP is shut where no option needs it, and neither
//! signals nor abstract sockets reach other processes.

use landlock::{
    path_beneath_rules, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, ABI,
};

use super::places::Places;
use super::switches::Landlock;

/// The newest rules that are asked for; an older kernel has fewer.
const NEWEST: ABI = ABI::V6;

/// Confines the calling thread and those that it starts later. Says how much the kernel could do.
///
/// # Errors
/// The kernel refuses a rule, or has not all that [`Landlock::Require`] wants.
pub fn confine(mode: Landlock, places: &Places) -> Result<RulesetStatus, RulesetError> {
    let level = match mode {
        Landlock::Off => return Ok(RulesetStatus::NotEnforced),
        Landlock::Auto => CompatLevel::BestEffort,
        Landlock::Require => CompatLevel::HardRequirement,
    };
    let mut ruleset = Ruleset::default().set_compatibility(level).handle_access(AccessFs::from_all(NEWEST))?;
    let mut shut = BitFlags::<AccessNet>::EMPTY;
    if !places.connects {
        shut |= AccessNet::ConnectTcp;
    }
    if !places.listens {
        shut |= AccessNet::BindTcp;
    }
    if !shut.is_empty() {
        ruleset = ruleset.handle_access(shut)?;
    }
    ruleset = ruleset.scope(scopes())?;
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(&places.read, reading()))?
        .add_rules(path_beneath_rules(&places.write, reading() | writing()))?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn reading() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

/// Not among it: executing and device files. Files are moved between directories of ours alone, where the tree of
/// pods is swapped.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::MakeSym
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// systemd may listen for us on an abstract socket, in containers above all.
fn scopes() -> BitFlags<Scope> {
    match std::env::var_os("NOTIFY_SOCKET") {
        Some(socket) if socket.as_encoded_bytes().starts_with(b"@") => Scope::Signal.into(),
        _ => Scope::Signal | Scope::AbstractUnixSocket,
    }
}
