//! The only unsafe code: system calls that the standard library does not wrap. One concept a file.
#![allow(unsafe_code)]

pub mod disk;
pub mod file_id;
pub mod group;
pub mod handover;
#[cfg(any(target_env = "musl", test))]
pub mod heap;
pub mod inherited;
pub mod lock;
pub mod peer;
pub mod poll;
pub mod privilege;
pub mod process;
pub mod rename;
pub mod signal;
pub mod socket;
pub mod terminal;

use std::io;

/// Turns the -1 of a system call into the error that `errno` names.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
