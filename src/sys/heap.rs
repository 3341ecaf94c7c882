//! The heap of the static binary: dlmalloc for small things, the kernel for large ones.
//!
//! The allocator that comes with the C library of the static build rounds every size up to a power of two and keeps what
//! is freed for ever; a node's pods are mostly blocks of a few KiB, of which it wastes a third. dlmalloc packs them
//! (docs/decisions/0011-heap.md). gRPC's C++ and the C library use the same heap through the C functions below.
//!
//! Blocks of Rust code from [`LARGE`] on (printed lists, whole replies, files) are mappings of their own, which leave
//! no hole in the heap and whose pages go back to the kernel at once.
//!
//! Other builds have their C library's heap, and this file for its tests alone.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dlmalloc::Dlmalloc;

/// Bytes from which a block of Rust code is a mapping of its own. At most a page of it is waste: 6 %.
const LARGE: usize = 64 << 10;

/// What mappings are aligned to on each architecture, at the least.
const PAGE: usize = 4096;

/// What C code may take every block to be aligned to.
const C_ALIGN: usize = 16;

static SMALL: Mutex<Dlmalloc> = Mutex::new(Dlmalloc::new());

/// The lock of the standard library neither allocates nor unwinds, which an allocator's lock must not.
fn small() -> MutexGuard<'static, Dlmalloc> {
    SMALL.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Heap;

#[cfg_attr(target_env = "musl", global_allocator)]
static HEAP: Heap = Heap;

/// Whether a block of this layout is a mapping. The layout at the release is that of the request, so this holds for
/// the life of a block.
fn is_large(size: usize, align: usize) -> bool {
    size >= LARGE && align <= PAGE
}

fn map(size: usize) -> *mut u8 {
    // SAFETY: a new anonymous mapping overlaps nothing.
    let at = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if at == libc::MAP_FAILED {
        ptr::null_mut()
    } else {
        at.cast()
    }
}

// SAFETY: each block comes from `SMALL` under its lock or from `mmap`, as `is_large` says of its layout, and goes back
// the same way. A mapping is aligned to a page and zeroed.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size(), layout.align()) {
            return map(layout.size());
        }
        // SAFETY: the caller asks for a valid layout.
        unsafe { small().malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size(), layout.align()) {
            return map(layout.size());
        }
        // SAFETY: as in `alloc`.
        unsafe { small().calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_large(layout.size(), layout.align()) {
            // SAFETY: `alloc` mapped exactly these bytes.
            unsafe { libc::munmap(block.cast(), layout.size()) };
            return;
        }
        // SAFETY: the block is from `SMALL` with this layout, says the caller.
        unsafe { small().free(block, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match (is_large(layout.size(), layout.align()), is_large(size, layout.align())) {
            // SAFETY: as in `dealloc`.
            (false, false) => unsafe { small().realloc(block, layout.size(), layout.align(), size) },
            (true, true) => {
                // SAFETY: `alloc` mapped exactly these bytes; the kernel moves pages, not bytes.
                let at = unsafe { libc::mremap(block.cast(), layout.size(), size, libc::MREMAP_MAYMOVE) };
                if at == libc::MAP_FAILED {
                    ptr::null_mut()
                } else {
                    at.cast()
                }
            }
            _ => {
                // SAFETY: the caller's size is not zero and fits the alignment, by the contract of `realloc`.
                let to = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
                // SAFETY: two blocks of at least the bytes copied; the old one is not used after.
                unsafe {
                    let new = self.alloc(to);
                    if !new.is_null() {
                        ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    new
                }
            }
        }
    }
}

/// The answer in C's manner: a null pointer comes with ENOMEM.
fn answer(block: *mut u8) -> *mut c_void {
    if block.is_null() {
        // SAFETY: the address of this thread's errno is always valid.
        unsafe { *libc::__errno_location() = libc::ENOMEM };
    }
    block.cast()
}

/// C's `malloc`.
#[cfg_attr(target_env = "musl", no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: any size will do.
    answer(unsafe { small().c_malloc(size) })
}

/// C's `free`.
///
/// # Safety
/// `block` is null or came from a function of this file and was not freed.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: by the caller's promise.
    unsafe { small().c_free(block.cast()) }
}

/// C's `calloc`: a product that overflows is ENOMEM.
#[cfg_attr(target_env = "musl", no_mangle)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let block = match count.checked_mul(size) {
        // SAFETY: any size will do.
        Some(bytes) => unsafe { small().calloc(bytes, C_ALIGN) },
        None => ptr::null_mut(),
    };
    answer(block)
}

/// C's `realloc`.
///
/// # Safety
/// As for `free`.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: by the caller's promise.
    answer(unsafe { small().c_realloc(block.cast(), size) })
}

/// C's `reallocarray`: a product that overflows is ENOMEM.
///
/// # Safety
/// As for `free`.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: by the caller's promise.
        Some(bytes) => unsafe { realloc(block, bytes) },
        None => answer(ptr::null_mut()),
    }
}

/// C's `memalign`: `align` has to be a power of two.
#[cfg_attr(target_env = "musl", no_mangle)]
pub extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        // SAFETY: the address of this thread's errno is always valid.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return ptr::null_mut();
    }
    // SAFETY: `align` is a power of two.
    answer(unsafe { small().c_memalign(align, size) })
}

/// C11's `aligned_alloc`.
#[cfg_attr(target_env = "musl", no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    memalign(align, size)
}

/// POSIX's `posix_memalign`: the block goes to `*into`, the answer is an error's number or 0.
///
/// # Safety
/// `into` may be written.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn posix_memalign(into: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    // SAFETY: `align` is a power of two.
    let block = unsafe { small().c_memalign(align, size) };
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: by the caller's promise.
    unsafe { *into = block.cast() };
    0
}

/// C's `strdup`. Here because zig's own one takes from zig's heap, whatever `malloc` is.
///
/// # Safety
/// `text` ends with a zero byte.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn strdup(text: *const c_char) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { copied(text, libc::strlen(text)) }
}

/// C's `strndup`: at most `most` bytes of the text. Here for the same reason.
///
/// # Safety
/// `text` has `most` bytes, or ends with a zero byte before.
#[cfg_attr(target_env = "musl", no_mangle)]
pub unsafe extern "C" fn strndup(text: *const c_char, most: usize) -> *mut c_char {
    // SAFETY: by the caller's promise.
    unsafe { copied(text, libc::strnlen(text, most)) }
}

/// # Safety
/// `text` has `length` bytes.
unsafe fn copied(text: *const c_char, length: usize) -> *mut c_char {
    let copy = malloc(length + 1).cast::<c_char>();
    if !copy.is_null() {
        // SAFETY: a new block with room for the text and its end.
        unsafe {
            ptr::copy_nonoverlapping(text, copy, length);
            copy.add(length).write(0);
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_bytes_over_every_change_of_size() {
        let sizes = [1, 100, LARGE - 1, LARGE, LARGE + 1, 10 * LARGE, LARGE, 17, 3 * LARGE, 1];
        for align in [1, 16, 64, PAGE, 2 * PAGE] {
            let mut layout = Layout::from_size_align(sizes[0], align).unwrap();
            // SAFETY: each call is given what the last one returned, with the layout that it was asked for.
            unsafe {
                let mut block = HEAP.alloc(layout);
                block.write(7);
                for size in sizes {
                    block = HEAP.realloc(block, layout, size);
                    layout = Layout::from_size_align(size, align).unwrap();
                    assert_eq!((block.read(), block as usize % align), (7, 0), "{size} aligned to {align}");
                    block.add(size - 1).write(7);
                }
                HEAP.dealloc(block, layout);
            }
        }
    }

    #[test]
    fn c_gets_aligned_and_zeroed_blocks_or_an_error() {
        // SAFETY: blocks are freed once, and `into` is a local.
        unsafe {
            let mut into = ptr::null_mut();
            assert_eq!(posix_memalign(&mut into, 256, 10), 0);
            assert_eq!(into as usize % 256, 0);
            free(into);
            assert_eq!(posix_memalign(&mut into, 3, 10), libc::EINVAL);
            let block = calloc(100, 10).cast::<u8>();
            assert!((0..1000).all(|i| block.add(i).read() == 0));
            free(block.cast());
            for (copy, want) in [(strdup(c"pods".as_ptr()), c"pods"), (strndup(c"pods".as_ptr(), 3), c"pod")] {
                assert_eq!(std::ffi::CStr::from_ptr(copy), want);
                free(copy.cast());
            }
            assert!(calloc(usize::MAX, 2).is_null());
            assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::ENOMEM));
        }
    }
}
