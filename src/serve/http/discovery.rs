//! What clients ask first: which paths, groups and resources there are.
//!
//! Shapes: `kubernetes/apimachinery pkg/apis/meta/v1/types.go` and `kubernetes/api apidiscovery/v2/types.go`.

use serde_json::{json, Value};

use super::negotiate;
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::value::{self, set};
use crate::codec::wire;
use crate::machine;

/// The version of Kubernetes whose pods and rules are served.
const KUBERNETES: (&str, &str) = ("1", "36");

const PATHS: [&str; 13] = [
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/pods",
    "/readyz",
    "/readyz/pods",
    "/readyz/sources",
    "/runningpods/",
    "/version",
];

/// A resource of the core group.
struct Resource {
    name: &'static str,
    singular: &'static str,
    namespaced: bool,
    kind: &'static str,
    verbs: &'static [&'static str],
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
}

const RESOURCES: [Resource; 6] = [
    Resource {
        name: "events",
        singular: "event",
        namespaced: true,
        kind: "Event",
        verbs: &["get", "list", "watch"],
        short_names: &["ev"],
        categories: &[],
    },
    Resource {
        name: "namespaces",
        singular: "namespace",
        namespaced: false,
        kind: "Namespace",
        verbs: &["get", "list"],
        short_names: &["ns"],
        categories: &[],
    },
    Resource {
        name: "nodes",
        singular: "node",
        namespaced: false,
        kind: "Node",
        verbs: &["get", "list"],
        short_names: &["no"],
        categories: &[],
    },
    Resource {
        name: "pods",
        singular: "pod",
        namespaced: true,
        kind: "Pod",
        verbs: &["get", "list", "watch"],
        short_names: &["po"],
        categories: &["all"],
    },
    Resource {
        name: "pods/log",
        singular: "",
        namespaced: true,
        kind: "Pod",
        verbs: &["get"],
        short_names: &[],
        categories: &[],
    },
    Resource {
        name: "services",
        singular: "service",
        namespaced: true,
        kind: "Service",
        verbs: &["list"],
        short_names: &["svc"],
        categories: &[],
    },
];

/// `/`
pub(crate) fn paths(request: &Request) -> Result<Reply, Refusal> {
    value::answer(request, &json!({ "paths": PATHS }))
}

/// `/version`: clients want a version of Kubernetes here. Ours is in the build metadata of the git version.
pub(crate) fn version(request: &Request) -> Result<Reply, Refusal> {
    let (major, minor) = KUBERNETES;
    let value = json!({
        "major": major,
        "minor": minor,
        "gitVersion": format!("v{major}.{minor}.0+nodepods.{}", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, machine::architecture()),
    });
    value::answer(request, &value)
}

/// `/api`
pub(crate) fn versions(request: &Request) -> Result<Reply, Refusal> {
    match negotiate::aggregated(request) {
        Some(version) => Ok(aggregated(version, vec![core_group()])),
        None => value::answer(
            request,
            &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        ),
    }
}

/// `/apis`: no group but the core one.
pub(crate) fn groups(request: &Request) -> Result<Reply, Refusal> {
    match negotiate::aggregated(request) {
        Some(version) => Ok(aggregated(version, Vec::new())),
        None => value::answer(request, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
    }
}

/// `/api/v1`
pub(crate) fn resources(request: &Request) -> Result<Reply, Refusal> {
    let resource = |r: &Resource| {
        let mut value = json!({
            "name": r.name, "singularName": r.singular, "namespaced": r.namespaced, "kind": r.kind, "verbs": r.verbs,
        });
        for (key, list) in [("shortNames", r.short_names), ("categories", r.categories)] {
            if !list.is_empty() {
                set(&mut value, key, list.into());
            }
        }
        value
    };
    let resources: Vec<Value> = RESOURCES.iter().map(resource).collect();
    value::answer(request, &json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": resources}))
}

/// `/openapi/v2`: no schemas. kubectl wants the document before it sends anything that it would have the server write;
/// it checks nothing then, sends, and its user reads our refusal rather than a complaint about this document.
///
/// Shape of the protobuf: `google/gnostic-models openapiv2/OpenAPIv2.proto`.
pub(crate) fn openapi(request: &Request) -> Result<Reply, Refusal> {
    const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    let (title, version) = ("nodepods", env!("CARGO_PKG_VERSION"));
    // What clients ask for has an @, which no Content-Type may have; kubernetes/kube-openapi answers like this.
    if request.accept.split(',').any(|clause| clause.trim().replace('@', ".") == PROTOBUF) {
        let (mut info, mut document) = (Vec::new(), Vec::new());
        wire::put_bytes(&mut info, 1, title.as_bytes());
        wire::put_bytes(&mut info, 2, version.as_bytes());
        wire::put_bytes(&mut document, 1, b"2.0");
        wire::put_bytes(&mut document, 2, &info);
        return Ok(Reply::bytes(PROTOBUF, document));
    }
    value::answer(request, &json!({"swagger": "2.0", "info": {"title": title, "version": version}, "paths": {}}))
}

fn aggregated(version: &str, items: Vec<Value>) -> Reply {
    let content_type = match version {
        "v2" => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        _ => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    let value = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    });
    Reply::bytes(content_type, format!("{value}\n").into_bytes())
}

/// The core group with all its resources; a subresource stands inside its resource.
fn core_group() -> Value {
    let kind = |r: &Resource| json!({"group": "", "version": "v1", "kind": r.kind});
    let resource = |r: &Resource| {
        let mut value = json!({
            "resource": r.name,
            "responseKind": kind(r),
            "scope": if r.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": r.singular,
            "verbs": r.verbs,
        });
        for (key, list) in [("shortNames", r.short_names), ("categories", r.categories)] {
            if !list.is_empty() {
                set(&mut value, key, list.into());
            }
        }
        let inside = |sub: &Resource| sub.name.strip_prefix(r.name)?.strip_prefix('/').map(str::to_owned);
        let subresources: Vec<Value> = RESOURCES
            .iter()
            .filter_map(|s| Some(json!({"subresource": inside(s)?, "responseKind": kind(s), "verbs": s.verbs})))
            .collect();
        if !subresources.is_empty() {
            set(&mut value, "subresources", subresources.into());
        }
        value
    };
    let resources: Vec<Value> = RESOURCES.iter().filter(|r| !r.name.contains('/')).map(resource).collect();
    json!({
        "metadata": {"creationTimestamp": null},
        "versions": [{"version": "v1", "resources": resources, "freshness": "Current"}],
    })
}
