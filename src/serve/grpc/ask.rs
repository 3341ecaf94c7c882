//! What a client asks for in the metadata of its request: a field mask, a selection of pods, a page.

use grpcio::Metadata;

use super::refusal::Refusal;
use crate::pod::selector::{FieldSelector, LabelSelector, Selector};
use crate::store::masked::{MaskCache, MaskText, Request};

const MASK: &str = "x-kubernetes-fieldmask";
const MASK_BINARY: &str = "x-kubernetes-fieldmask-bin";
const LABELS: &str = "x-nodepods-label-selector";
const FIELDS: &str = "x-nodepods-field-selector";
const NAMESPACE: &str = "x-nodepods-namespace";
const LIMIT: &str = "x-nodepods-limit";
/// Asks for the page after this token; answers carry it where there is one.
pub(crate) const CONTINUE: &str = "x-nodepods-continue";

/// One request's wishes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// Which pods, and what of them.
    pub(crate) view: Request,
    /// At most so many pods (0: all).
    pub(crate) limit: usize,
    /// Where an earlier page ended.
    pub(crate) token: Option<String>,
}

impl Ask {
    /// Reads the metadata. Everything is checked here, before anything is sent, on an empty node too.
    ///
    /// # Errors
    /// A mask, selector or limit that is not right, or one that is there twice.
    pub(crate) fn read(metadata: &Metadata, masks: &MaskCache) -> Result<Self, Refusal> {
        let mut ask = Self::default();
        if metadata.is_empty() {
            return Ok(ask);
        }
        if let Some(text) = mask_text(metadata)? {
            let mask = masks.get(&text).map_err(Refusal::Mask)?;
            ask.view.mask = (!mask.is_everything()).then_some(mask);
        }
        let text = |key| Ok(one(metadata, key)?.map(|v| readable(key, v)).transpose()?.filter(|s| !s.is_empty()));
        let refused = |key: &'static str| move |e: crate::pod::selector::SelectorError| Refusal::Selector(key, e.0);
        ask.view.selector = Selector {
            namespace: text(NAMESPACE)?.map(str::to_owned),
            labels: LabelSelector::parse(text(LABELS)?.unwrap_or_default()).map_err(refused(LABELS))?,
            fields: FieldSelector::parse(text(FIELDS)?.unwrap_or_default()).map_err(refused(FIELDS))?,
        };
        if let Some(limit) = text(LIMIT)? {
            ask.limit = limit.parse().map_err(|_| Refusal::Metadata(LIMIT, "want a whole number"))?;
        }
        ask.token = text(CONTINUE)?.map(str::to_owned);
        Ok(ask)
    }

    /// True where the answer is the whole list, which everybody shares.
    pub(crate) fn is_everything(&self) -> bool {
        self.view.mask.is_none() && self.view.selector.is_everything() && self.limit == 0 && self.token.is_none()
    }
}

fn mask_text(metadata: &Metadata) -> Result<Option<MaskText>, Refusal> {
    match (one(metadata, MASK)?, one(metadata, MASK_BINARY)?) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(MaskText::Text(readable(MASK, text)?.to_owned()))),
        (None, Some(bytes)) => Ok(Some(MaskText::Binary(bytes.to_vec()))),
        (Some(_), Some(_)) => Err(Refusal::Metadata(MASK_BINARY, "multiple field masks not supported")),
    }
}

/// The value of a key that may be there once.
fn one<'a>(metadata: &'a Metadata, key: &'static str) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = metadata.iter().filter(|(k, _)| *k == key).map(|(_, v)| v);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) if key.starts_with(MASK) => Err(Refusal::Metadata(key, "multiple field masks not supported")),
        (_, Some(_)) => Err(Refusal::Metadata(key, "given more than once")),
    }
}

fn readable<'a>(key: &'static str, value: &'a [u8]) -> Result<&'a str, Refusal> {
    std::str::from_utf8(value).map(str::trim).map_err(|_| Refusal::Metadata(key, "not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use grpcio::{MetadataBuilder, RpcStatusCode};

    fn ask(pairs: &[(&str, &str)]) -> Result<Ask, Refusal> {
        let mut builder = MetadataBuilder::new();
        for (key, value) in pairs {
            if key.ends_with("-bin") {
                builder.add_bytes(key, value.as_bytes()).unwrap();
            } else {
                builder.add_str(key, value).unwrap();
            }
        }
        Ask::read(&builder.build(), &MaskCache::default())
    }

    #[test]
    fn nothing_and_stars_ask_for_everything() {
        for pairs in
            [&[][..], &[("user-agent", "x")], &[(MASK, "")], &[(MASK, "*")], &[(MASK_BINARY, "")], &[(LABELS, "")]]
        {
            assert!(ask(pairs).unwrap().is_everything(), "{pairs:?}");
        }
    }

    #[test]
    fn wishes_are_read() {
        let got = ask(&[(MASK, "status.phase"), (LIMIT, "5"), (NAMESPACE, "kube-system"), (LABELS, "app=x")]).unwrap();
        assert!(got.view.mask.is_some() && !got.is_everything());
        assert_eq!((got.limit, got.view.selector.namespace.as_deref()), (5, Some("kube-system")));
        assert!(ask(&[(MASK_BINARY, "\x0a\x0cstatus.phase")]).unwrap().view.mask.is_some());
    }

    #[test]
    fn what_is_wrong_is_an_invalid_argument() {
        for pairs in [
            &[(MASK, "status.fase")][..],
            &[(MASK, "status"), (MASK, "spec")],
            &[(MASK, "status"), (MASK_BINARY, "")],
            &[(LABELS, "a in")],
            &[(FIELDS, "spec.color=red")],
            &[(LIMIT, "many")],
            &[(LIMIT, "-1")],
            &[(NAMESPACE, "a"), (NAMESPACE, "b")],
        ] {
            let refusal = ask(pairs).unwrap_err();
            assert_eq!(refusal.status().code(), RpcStatusCode::INVALID_ARGUMENT, "{pairs:?}: {refusal}");
        }
    }
}
