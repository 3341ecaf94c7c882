//! The frames of a watch, cut out of a stream. Pure.

use super::error::Unreadable;
use super::form::Form;

/// Larger frames are refused; etcd takes 1.5 MiB by default.
const MAX_FRAME: usize = 16 << 20;

/// Bytes that came, and no frame yet was made of.
#[derive(Debug)]
pub(super) struct Frames {
    form: Form,
    bytes: Vec<u8>,
    /// How far a line end was looked for in vain.
    searched: usize,
}

impl Frames {
    pub(super) fn new(form: Form) -> Self {
        Self { form, bytes: Vec::new(), searched: 0 }
    }

    /// Adds what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        !self.bytes.trim_ascii().is_empty()
    }

    /// Takes the next whole frame: behind a length of four bytes, most significant first, or a line.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        match self.form {
            Form::Protobuf => {
                let Some(head) = self.bytes.first_chunk::<4>() else { return Ok(None) };
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > MAX_FRAME {
                    return Err(too_large());
                }
                Ok((self.bytes.len() >= 4 + length).then(|| self.take(4, 4 + length)))
            }
            Form::Json => loop {
                let rest = self.bytes.get(self.searched..).unwrap_or_default();
                let Some(at) = rest.iter().position(|b| *b == b'\n') else {
                    self.searched = self.bytes.len();
                    return if self.searched > MAX_FRAME { Err(too_large()) } else { Ok(None) };
                };
                let line = self.take(0, self.searched + at + 1);
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
            },
        }
    }

    fn take(&mut self, from: usize, to: usize) -> Vec<u8> {
        let frame = self.bytes.get(from..to).unwrap_or_default().to_vec();
        self.bytes.drain(..to.min(self.bytes.len()));
        // One large pod should not hold its room for as long as the watch lasts.
        self.bytes.shrink_to(64 << 10);
        self.searched = 0;
        frame
    }
}

fn too_large() -> Unreadable {
    Unreadable("an event is larger than 16 MiB".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(form: Form, payload: &[u8]) -> Vec<u8> {
        match form {
            Form::Protobuf => [&(payload.len() as u32).to_be_bytes(), payload].concat(),
            Form::Json => [payload, b"\n"].concat(),
        }
    }

    #[test]
    fn blank_lines_are_no_frames() {
        let mut frames = Frames::new(Form::Json);
        frames.push(b"\n\r\n{}\n ");
        assert_eq!(frames.next(), Ok(Some(b"{}\n".to_vec())));
        assert_eq!((frames.next(), frames.is_partial()), (Ok(None), false));
        frames.push(b"{");
        assert_eq!((frames.next(), frames.is_partial()), (Ok(None), true));
    }

    #[test]
    fn a_length_out_of_all_reason_is_refused() {
        let mut frames = Frames::new(Form::Protobuf);
        frames.push(b"HTTP");
        assert!(frames.next().is_err());
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut(
            protobuf: bool,
            payloads in proptest::collection::vec("[a-z]{1,20}", 0..6),
            cut in 1usize..7,
        ) {
            let form = if protobuf { Form::Protobuf } else { Form::Json };
            let wire: Vec<u8> = payloads.iter().flat_map(|p| framed(form, p.as_bytes())).collect();
            let (mut frames, mut got) = (Frames::new(form), Vec::new());
            for part in wire.chunks(cut) {
                frames.push(part);
                while let Some(frame) = frames.next().unwrap() {
                    got.push(String::from_utf8(frame).unwrap().trim().to_owned());
                }
            }
            prop_assert_eq!(got, payloads);
            prop_assert!(!frames.is_partial());
        }
    }
}
