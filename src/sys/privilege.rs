//! What the process gives up for good: capabilities, new privileges, core dumps.
//!
//! All of it holds for the calling thread and those it starts later, so it is called before the first thread.

use std::io;

/// A capability that is kept, by its number in `linux/capability.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Capability {
    /// Give files to another group or user.
    Chown = 0,
    /// Read, write and connect to what the permission bits forbid.
    DacOverride = 1,
    /// Read files and search directories that the permission bits forbid.
    DacReadSearch = 2,
}

impl Capability {
    fn bit(self) -> u64 {
        1 << (self as u32)
    }
}

/// Version 3 of the capability sets: two words of 32 bits each.
const VERSION: u32 = 0x2008_0522;
/// More capabilities than any kernel knows; the first unknown one ends the loop.
const MOST: libc::c_ulong = 63;

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Words {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Drops every capability but those in `keep`, from all sets. One that is not there is not gained. Returns how many
/// are effective afterwards.
///
/// # Errors
/// What capget(2), capset(2) and prctl(2) say.
pub fn keep_capabilities(keep: &[Capability]) -> io::Result<u32> {
    let keep = keep.iter().fold(0, |all, c| all | c.bit());
    let mut header = Header { version: VERSION, pid: 0 };
    let mut words = [Words::default(); 2];
    // SAFETY: the header and the two sets are live and laid out as version 3 says.
    super::check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) } as libc::c_int)?;
    // The bounding set needs CAP_SETPCAP, which is dropped below. Without it (a process that is not root) the set
    // stays as it is; no_new_privs keeps it from mattering.
    for capability in 0..MOST {
        if keep & (1 << capability) == 0 && !drop_from_bounding_set(capability)? {
            break;
        }
    }
    for (word, set) in words.iter_mut().enumerate() {
        let kept = (keep >> (32 * word)) as u32;
        set.permitted &= kept;
        set.effective &= kept;
        set.inheritable = 0;
    }
    // SAFETY: as above; the kernel only reads.
    super::check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) } as libc::c_int)?;
    Ok(words.iter().map(|w| w.effective.count_ones()).sum())
}

/// False where the kernel knows no such capability.
fn drop_from_bounding_set(capability: libc::c_ulong) -> io::Result<bool> {
    match prctl(libc::PR_CAPBSET_DROP, capability) {
        Ok(()) => Ok(true),
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(e) if e.raw_os_error() == Some(libc::EPERM) => Ok(true),
        Err(e) => Err(e),
    }
}

/// Sees to it that no exec can gain privileges (set-user-id bits, file capabilities), and allows seccomp and Landlock
/// without any.
///
/// # Errors
/// What prctl(2) says.
pub fn deny_new_privileges() -> io::Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Writes no core file when the process dies, and lets no process of the same user read its memory: pods carry
/// literal environment values.
///
/// # Errors
/// What prctl(2) and setrlimit(2) say.
pub fn deny_core_dumps() -> io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live value of the right type.
    super::check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) })?;
    prctl(libc::PR_SET_DUMPABLE, 0)
}

/// One of the options that take a number and want the others to be 0.
fn prctl(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    let none: libc::c_ulong = 0;
    // SAFETY: such an option takes no pointer, and all four numbers have the width that the kernel reads.
    super::check(unsafe { libc::prctl(option, value, none, none, none) }).map(drop)
}
