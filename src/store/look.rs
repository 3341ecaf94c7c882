//! What a manifest has in common with the sandbox and containers that the kubelet makes of it.

use std::collections::BTreeMap;

use super::container_hash;
use super::runtime_view::RuntimePod;
use crate::codec::wire::{self, Value};

/// Annotations that the kubelet's sources add.
const CONFIG: &str = "kubernetes.io/config.";

/// What can be compared between a manifest and what the kubelet made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    /// Image by container name.
    images: BTreeMap<String, String>,
}

impl Look {
    /// Of a pod with these labels, annotations and images by container name.
    #[must_use]
    pub fn new(
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
        images: BTreeMap<String, String>,
    ) -> Self {
        let annotations = of_the_pod(&annotations).into_iter().filter(|(k, _)| !foreign(k)).collect();
        Self { labels: of_the_pod(&labels), annotations, images }
    }

    /// Whether the runtime's pod may have been made from this: the same labels and annotations, and of each container
    /// that exists the same name and image.
    #[must_use]
    pub fn may_have_made(&self, pod: &RuntimePod) -> bool {
        let Some(sandbox) = pod.newest() else { return false };
        let theirs = Self::new(sandbox.labels.clone(), sandbox.annotations.clone(), BTreeMap::new());
        (&theirs.labels, &theirs.annotations) == (&self.labels, &self.annotations)
            && pod.containers.iter().all(|c| {
                match (self.images.get(&c.name), c.annotations.get(container_hash::ANNOTATION)) {
                    (Some(image), Some(hash)) => container_hash::of(&c.name, image) == *hash,
                    (Some(_), None) => true,
                    (None, _) => false,
                }
            })
    }
}

/// Without the keys that the kubelet and runtimes add.
fn of_the_pod(all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    all.iter().filter(|(k, _)| !k.starts_with("io.kubernetes.")).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn foreign(annotation: &str) -> bool {
    annotation.starts_with(CONFIG) || annotation.starts_with(crate::pod::source::OURS)
}

/// Images by container name, out of an encoded `PodSpec`: regular and init containers.
#[must_use]
pub fn images(spec: &[u8]) -> BTreeMap<String, String> {
    const CONTAINERS: u32 = 2;
    const INIT_CONTAINERS: u32 = 20;
    let mut images = BTreeMap::new();
    for field in wire::fields(spec).map_while(Result::ok) {
        if let (CONTAINERS | INIT_CONTAINERS, Value::Bytes(container)) = (field.number, field.value) {
            let text = |number| {
                let value = wire::fields(container).map_while(Result::ok).find(|f| f.number == number);
                match value.map(|f| f.value) {
                    Some(Value::Bytes(b)) => String::from_utf8_lossy(b).into_owned(),
                    _ => String::new(),
                }
            };
            images.insert(text(1), text(2));
        }
    }
    images
}
