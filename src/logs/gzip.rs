//! Log files that the kubelet has compressed (RFC 1952; one member, as Go's writer makes it).

use std::io::{self, BufRead, Read};

use miniz_oxide::inflate::stream::{inflate, InflateState};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// Unpacks while it is read.
pub(super) struct GzipReader<R> {
    packed: R,
    state: Box<InflateState>,
    ended: bool,
}

impl<R: BufRead> GzipReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// It is no gzip header.
    pub(super) fn new(mut packed: R) -> io::Result<Self> {
        let mut header = [0; 10];
        packed.read_exact(&mut header)?;
        let [0x1f, 0x8b, 8, flags, ..] = header else { return Err(invalid("not a gzip file")) };
        if flags & 4 != 0 {
            let mut length = [0; 2];
            packed.read_exact(&mut length)?;
            skip(&mut packed, u16::from_le_bytes(length).into())?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                skip_text(&mut packed)?;
            }
        }
        if flags & 2 != 0 {
            skip(&mut packed, 2)?;
        }
        Ok(Self { packed, state: InflateState::new_boxed(DataFormat::Raw), ended: false })
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !out.is_empty() {
            let input = self.packed.fill_buf()?;
            let at_end = input.is_empty();
            let step = inflate(&mut self.state, input, out, MZFlush::None);
            self.packed.consume(step.bytes_consumed);
            match step.status {
                Ok(MZStatus::StreamEnd) => self.ended = true,
                Ok(_) => {}
                Err(MZError::Buf) if !at_end && step.bytes_consumed > 0 => {}
                Err(MZError::Buf) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(_) => return Err(invalid("damaged gzip data")),
            }
            if step.bytes_written > 0 {
                return Ok(step.bytes_written);
            }
            if at_end && !self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn skip(from: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    match io::copy(&mut from.take(bytes), &mut io::sink())? {
        n if n == bytes => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn skip_text(from: &mut impl BufRead) -> io::Result<()> {
    let mut text = Vec::new();
    from.take(4096).read_until(0, &mut text)?;
    if text.last() == Some(&0) {
        return Ok(());
    }
    Err(invalid("a text in the gzip header has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'one\ntwo\n' | gzip -n`
    const PACKED: [u8; 28] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcf, 0x4b, 0xe5, 0x2a, 0x29, 0xcf, 0xe7,
        0x02, 0x00, 0xe6, 0x0b, 0xba, 0x12, 0x08, 0x00, 0x00, 0x00,
    ];

    fn unpacked(packed: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        GzipReader::new(packed)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn unpacks() {
        assert_eq!(unpacked(&PACKED).unwrap(), "one\ntwo\n");
        let mut named = PACKED.to_vec();
        named[3] = 8;
        named.splice(10..10, *b"0.log\0");
        assert_eq!(unpacked(&named).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        for end in 0..18 {
            assert!(unpacked(&PACKED[..end]).is_err(), "cut at {end}");
        }
        assert!(unpacked(b"2024-01-02T03:04:05Z stdout F x\n").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            let mut packed = PACKED[..10].to_vec();
            packed.extend(bytes);
            let _ = GzipReader::new(&packed[..]).map(|r| io::copy(&mut r.take(1 << 20), &mut io::sink()));
        }
    }
}
