//! The files of the descriptor set, searched as they lie: no index is kept for questions that come once a session.

use crate::codec::wire::{self, Value};
use crate::serve::grpc::offer::Offer;

/// An encoded `google.protobuf.FileDescriptorProto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File<'a>(&'a [u8]);

/// The files of an encoded `FileDescriptorSet` that are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    set: &'a [u8],
    offer: Offer,
}

/// What stands in a declaration that has a name: the field numbers below it by what they hold, as in
/// `google/protobuf/descriptor.proto`.
struct Scope {
    /// Fields of plain members: they have a name and nothing below it.
    members: &'static [u32],
    /// Fields of messages.
    messages: &'static [u32],
    /// Fields of enums. Their values are named in the scope around the enum.
    enums: &'static [u32],
    /// Fields of services.
    services: &'static [u32],
}

const IN_FILE: Scope = Scope { members: &[7], messages: &[4], enums: &[5], services: &[6] };
/// Fields, oneofs and extensions; nested messages and enums.
const IN_MESSAGE: Scope = Scope { members: &[2, 6, 8], messages: &[3], enums: &[4], services: &[] };
/// Methods.
const IN_SERVICE: Scope = Scope { members: &[2], messages: &[], enums: &[], services: &[] };

impl<'a> Files<'a> {
    /// The files of this set, but for those with a service that is not offered.
    pub(crate) fn of(set: &'a [u8], offer: Offer) -> Self {
        Self { set, offer }
    }

    /// Every file.
    pub(crate) fn iter(self) -> impl Iterator<Item = File<'a>> {
        all(self.set, 1).map(File).filter(move |file| file.services().all(|name| self.offer.has(&name)))
    }

    /// The file with this name.
    pub(crate) fn named(self, name: &str) -> Option<File<'a>> {
        self.iter().find(|f| f.name() == name)
    }

    /// The file that declares this full name.
    pub(crate) fn declaring(self, symbol: &str) -> Option<File<'a>> {
        self.iter().find(|f| f.declares(symbol))
    }

    /// The file that extends `message` by the field `number`.
    pub(crate) fn extending(self, message: &str, number: u64) -> Option<File<'a>> {
        self.iter().find(|f| f.extensions(message).any(|n| n == number))
    }

    /// The numbers by which `message` is extended.
    pub(crate) fn extensions(self, message: &'a str) -> impl Iterator<Item = u64> + 'a {
        self.iter().flat_map(move |f| f.extensions(message))
    }

    /// Full names of all services.
    pub(crate) fn services(self) -> impl Iterator<Item = String> + 'a {
        self.iter().flat_map(File::services)
    }

    /// A file, then all that it imports, each once.
    pub(crate) fn with_imports(self, file: File<'a>) -> Vec<File<'a>> {
        let mut found = vec![file];
        let mut at = 0;
        while let Some(&file) = found.get(at) {
            at += 1;
            for import in all(file.0, 3).filter_map(|name| self.named(std::str::from_utf8(name).ok()?)) {
                if !found.contains(&import) {
                    found.push(import);
                }
            }
        }
        found
    }
}

impl<'a> File<'a> {
    /// The encoded descriptor.
    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    fn name(self) -> &'a str {
        text(self.0, 1)
    }

    fn package(self) -> &'a str {
        text(self.0, 2)
    }

    /// Full names of its services.
    fn services(self) -> impl Iterator<Item = String> + use<'a> {
        all(self.0, 6).map(move |service| joined(self.package(), text(service, 1)))
    }

    fn declares(self, symbol: &str) -> bool {
        match self.package() {
            "" => declares(self.0, &IN_FILE, symbol),
            package => symbol
                .strip_prefix(package)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| declares(self.0, &IN_FILE, rest)),
        }
    }

    /// Numbers of the extensions of `message` that stand at the top of the file; ours has no others.
    fn extensions(self, message: &str) -> impl Iterator<Item = u64> + use<'a, '_> {
        let of_it = move |e: &&[u8]| text(e, 2).strip_prefix('.') == Some(message);
        all(self.0, 7).filter(of_it).filter_map(|e| number(e, 3))
    }
}

/// Whether `name` (`Message.Nested.field`) is declared in this scope.
fn declares(declaration: &[u8], scope: &Scope, name: &str) -> bool {
    let (head, tail) = name.split_once('.').map_or((name, None), |(head, tail)| (head, Some(tail)));
    let named = |fields: &'static [u32]| {
        fields.iter().flat_map(move |n| all(declaration, *n)).filter(move |d| text(d, 1) == head)
    };
    let below = |fields, scope: &Scope| named(fields).any(|d| tail.is_none_or(|tail| declares(d, scope, tail)));
    let values = scope.enums.iter().flat_map(|n| all(declaration, *n)).flat_map(|e| all(e, 2));
    below(scope.messages, &IN_MESSAGE)
        || below(scope.services, &IN_SERVICE)
        || tail.is_none() && (named(scope.members).next().is_some() || named(scope.enums).next().is_some())
        || tail.is_none() && values.into_iter().any(|v| text(v, 1) == head)
}

fn joined(package: &str, name: &str) -> String {
    if package.is_empty() {
        name.into()
    } else {
        format!("{package}.{name}")
    }
}

/// Every value of the length-delimited field `number`.
fn all(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    wire::fields(message).map_while(Result::ok).filter(move |f| f.number == number).filter_map(|f| match f.value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    })
}

fn text(message: &[u8], number: u32) -> &str {
    all(message, number).last().and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
}

fn number(message: &[u8], number: u32) -> Option<u64> {
    let fields = wire::fields(message).map_while(Result::ok).filter(|f| f.number == number);
    fields.last().and_then(|f| match f.value {
        Value::Varint(n) => Some(n),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::DESCRIPTORS;
    use super::*;

    fn declaring(symbol: &str) -> Option<&'static str> {
        Files::of(DESCRIPTORS, Offer::WholeNode).declaring(symbol).map(File::name)
    }

    #[test]
    fn symbols_of_every_kind() {
        let pod = "k8s.io/api/core/v1/pod.proto";
        for (symbol, file) in [
            ("Pods", "pods.proto"),
            ("Pods.GetPod", "pods.proto"),
            ("PodListResponse.pods", "pods.proto"),
            ("v1alpha1.Pods", "pods_v1alpha1.proto"),
            ("v1alpha1.Pods.WatchPods", "pods_v1alpha1.proto"),
            ("v1alpha1.EventType", "pods_v1alpha1.proto"),
            ("v1alpha1.ADDED", "pods_v1alpha1.proto"),
            ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
            ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
            ("grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto"),
            ("k8s.io.api.core.v1.Pod", pod),
            ("k8s.io.api.core.v1.PodSpec.nodeName", pod),
            ("k8s.io.api.core.v1.PodSpec.NodeSelectorEntry", pod),
            ("nodepods.json.omit", "nodepods/json.proto"),
            ("google.protobuf.FieldOptions", "google/protobuf/descriptor.proto"),
        ] {
            assert_eq!(declaring(symbol), Some(file), "{symbol}");
        }
        for symbol in ["", ".", "Pod", "v1alpha1", "v1alpha1.", "Pods.GetPod.x", "Pods.get", "k8s.io.api.core.v1.Pod."]
        {
            assert_eq!(declaring(symbol), None, "{symbol}");
        }
    }

    #[test]
    fn imports_come_along_once() {
        let files = Files::of(DESCRIPTORS, Offer::WholeNode);
        let names =
            |name| files.with_imports(files.named(name).unwrap()).into_iter().map(File::name).collect::<Vec<_>>();
        assert_eq!(names("pods_v1alpha1.proto"), ["pods_v1alpha1.proto"]);
        let all = names("pods.proto");
        assert_eq!(all[0], "pods.proto");
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), all.len());
        assert!(all.contains(&"google/protobuf/descriptor.proto"), "{all:?}");
    }

    #[test]
    fn what_is_not_offered_is_not_described() {
        let files = Files::of(DESCRIPTORS, Offer::PodsAlone);
        let mut services: Vec<_> = files.services().collect();
        services.sort_unstable();
        let reflection = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
        assert_eq!(services, ["Pods", "grpc.health.v1.Health", reflection[0], reflection[1], "v1alpha1.Pods"]);
        for symbol in ["nodepods.v1.Node", "nodepods.v1.Lookup.Find", "v1.PodService", "nodepods.v1.FindRequest"] {
            assert_eq!(files.declaring(symbol), None, "{symbol}");
        }
        assert_eq!(files.named("nodepods/v1/node.proto"), None);
        let whole = Files::of(DESCRIPTORS, Offer::WholeNode);
        assert!(whole.named("nodepods/v1/node.proto").is_some() && whole.services().count() > services.len());
        // What is offered is described with all that it imports.
        for file in files.iter() {
            assert_eq!(files.with_imports(file), whole.with_imports(file), "{}", file.name());
        }
    }

    #[test]
    fn rubbish_holds_nothing() {
        let files = Files::of(b"\x0a\x05\x0a\x01a\x22\x09rubbish", Offer::WholeNode);
        assert!(files.declaring("a").is_none() && files.services().next().is_none());
    }
}
