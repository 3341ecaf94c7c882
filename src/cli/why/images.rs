//! Whether the runtime has an image: CRI's `ImageStatus`, asked of the runtime itself.

use std::path::Path;

use crate::cli::client::PodsClient;
use crate::codec::wire;
use crate::diagnosis::ImageFact;

const IMAGE_STATUS: &str = "/runtime.v1.ImageService/ImageStatus";

/// Asks for an image by the name that the spec has. `None` where the runtime does not answer, or not us.
#[must_use]
pub fn ask(socket: &Path, image: &str) -> Option<ImageFact> {
    let (answer, _) = PodsClient::new(socket).ask(IMAGE_STATUS, &request(image)).ok()?;
    Some(meaning(&answer))
}

/// `ImageStatusRequest{image: ImageSpec{image}}`.
fn request(image: &str) -> Vec<u8> {
    let (mut spec, mut request) = (Vec::new(), Vec::new());
    wire::put_bytes(&mut spec, 1, image.as_bytes());
    wire::put_bytes(&mut request, 1, &spec);
    request
}

/// `ImageStatusResponse.image` is absent where the runtime has none.
fn meaning(answer: &[u8]) -> ImageFact {
    match wire::fields(answer).map_while(Result::ok).any(|f| f.number == 1) {
        true => ImageFact::Present,
        false => ImageFact::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_in_bytes() {
        assert_eq!(request("a"), b"\x0a\x03\x0a\x01a");
        assert_eq!(meaning(b"\x0a\x03\x0a\x01a"), ImageFact::Present);
        assert_eq!(meaning(b""), ImageFact::Missing);
        assert_eq!(ask(Path::new("/nonexistent/cri.sock"), "a"), None);
    }
}
