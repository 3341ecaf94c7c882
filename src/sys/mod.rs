//! The only unsafe code: system calls that the standard library does not wrap.
#![allow(unsafe_code)]
