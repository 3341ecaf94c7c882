//! One seccomp filter for the whole process: what is not on the list fails with EPERM, and what only somebody who has
//! taken over the process would ask for kills it.
//!
//! The list is data, in `seccomp/*.list`, one for each architecture, with the reason for each call.

use std::collections::BTreeMap;

use seccompiler::{
    apply_filter_all_threads, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use super::switches::Seccomp;

include!(concat!(env!("OUT_DIR"), "/syscall_table.rs"));

/// Calls that the daemon has no use for and that change what runs or spy on it: asking for one is the end.
const FATAL: [libc::c_long; 12] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_bpf,
    libc::SYS_mount,
    libc::SYS_pivot_root,
    libc::SYS_unshare,
];

/// Puts the filter on all threads. False where it is switched off or there is no list for this architecture.
///
/// # Errors
/// The kernel refuses it.
pub fn confine(mode: Seccomp) -> Result<bool, seccompiler::Error> {
    let mismatch = match mode {
        Seccomp::Off => return Ok(false),
        Seccomp::Log => SeccompAction::Log,
        Seccomp::Enforce => SeccompAction::Errno(libc::EPERM as u32),
    };
    if CALLS.is_empty() {
        return Ok(false);
    }
    // This one first: the list does not allow a second filter.
    if mode == Seccomp::Enforce {
        let fatal = FATAL.into_iter().map(|call| (call, Vec::new())).collect();
        apply_filter_all_threads(&compile(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?)?;
    }
    apply_filter_all_threads(&compile(rules()?, mismatch, SeccompAction::Allow)?)?;
    Ok(true)
}

fn compile(
    rules: BTreeMap<libc::c_long, Vec<SeccompRule>>,
    mismatch: SeccompAction,
    matching: SeccompAction,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, mismatch, matching, arch)?.try_into()
}

/// Every allowed call with what its arguments must be.
fn rules() -> Result<BTreeMap<libc::c_long, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut rules: BTreeMap<_, _> = CALLS.iter().map(|(number, _)| (*number, Vec::new())).collect();
    // No code but that of the binary. glibc maps libraries for name look-ups, so only musl can be held to it.
    if cfg!(target_env = "musl") {
        let executable = libc::PROT_EXEC as u64;
        let never = || one(2, SeccompCmpOp::MaskedEq(executable), 0);
        rules.insert(libc::SYS_mmap, vec![never()?]);
        rules.insert(libc::SYS_mprotect, vec![never()?]);
    }
    // Threads, no processes.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![one(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    rules.insert(libc::SYS_socket, any_of(0, families.map(|f| f as u64))?);
    rules.insert(libc::SYS_socketpair, any_of(0, [libc::AF_UNIX as u64])?);
    let orders = [libc::FIONBIO, libc::FIOCLEX, libc::FIONREAD, libc::TIOCGWINSZ, libc::TCGETS];
    #[allow(clippy::unnecessary_cast)] // the type differs between C libraries
    rules.insert(libc::SYS_ioctl, any_of(1, orders.map(|o| o as u64))?);
    let options = [libc::PR_SET_NAME, libc::PR_GET_NAME];
    rules.insert(libc::SYS_prctl, any_of(0, options.map(|o| o as u64))?);
    Ok(rules)
}

fn any_of<const N: usize>(argument: u8, values: [u64; N]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    values.into_iter().map(|value| one(argument, SeccompCmpOp::Eq, value)).collect()
}

fn one(argument: u8, compare: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    // The kernel looks at the lower half of these arguments alone.
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_compiles_and_no_call_is_both_needed_and_fatal() {
        let rules = rules().unwrap();
        assert!(rules.len() > 60);
        assert!(FATAL.iter().all(|call| !rules.contains_key(call)));
        let program = compile(rules, SeccompAction::Errno(1), SeccompAction::Allow).unwrap();
        assert!(program.len() > CALLS.len());
    }

    #[test]
    fn each_call_stands_once() {
        let mut names: Vec<_> = CALLS.iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CALLS.len());
    }
}
