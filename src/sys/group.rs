//! Groups by name.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Room for the entry of a group with all its members; more is asked for as long as it does not do.
const ROOM: usize = 4 * 1024;
/// No group is this large.
const MOST: usize = 1024 * 1024;

/// The id of a group: the number itself where it is one, else what the system's list of groups says.
///
/// # Errors
/// `NotFound` where there is no such group, else what getgrnam_r(3) says.
pub fn id_of(name: &str) -> io::Result<u32> {
    // The largest number stands for "no group" in chown(2), and a group's name may begin with a sign.
    if let Some(number) = name.parse().ok().filter(|n| *n != u32::MAX && name.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(number);
    }
    let name = CString::new(name)?;
    let mut room = vec![0; ROOM];
    loop {
        let mut group = MaybeUninit::<libc::group>::uninit();
        let mut found: *mut libc::group = ptr::null_mut();
        // SAFETY: the name ends with a NUL, the buffer has the length that is said, and both results are live.
        let code = unsafe {
            libc::getgrnam_r(name.as_ptr(), group.as_mut_ptr(), room.as_mut_ptr(), room.len(), &raw mut found)
        };
        match code {
            0 if found.is_null() => return Err(io::ErrorKind::NotFound.into()),
            // SAFETY: `found` is not null, so the entry was filled in.
            0 => return Ok(unsafe { group.assume_init() }.gr_gid),
            libc::ERANGE if room.len() < MOST => room.resize(room.len() * 4, 0),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_by_number() {
        assert_eq!(id_of("root").unwrap(), 0);
        assert_eq!(id_of("1234").unwrap(), 1234);
        for none in ["4294967295", "+5", "-1"] {
            assert!(id_of(none).is_err(), "{none}");
        }
        assert_eq!(id_of("no-such-group-here").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
