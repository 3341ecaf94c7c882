//! Which answer stands under which path.

use super::refusal::Refusal;
use super::reply::Reply;
use super::request::{Method, Request};
use super::shared::Shared;
use super::{cluster, discovery, events, health, kubelet, negotiate, pod_log, pods, rebinding, Scope};

/// Prometheus' text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A path that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `/`: all paths.
    Root,
    Version,
    /// `/metrics`, as Prometheus reads it.
    Metrics,
    /// `/healthz`, `/livez`, `/readyz`, and one check of them.
    Health(&'a str, Option<&'a str>),
    /// `/api`: the versions of the core group.
    Versions,
    /// `/apis`: all other groups, of which there are none.
    Groups,
    /// `/api/v1`: the resources of the core group.
    Resources,
    /// Pods of one namespace or of all.
    Pods(Option<&'a str>),
    /// Namespace and name of a pod.
    Pod(&'a str, &'a str),
    /// Namespace and name of a pod whose log is asked for.
    Log(&'a str, &'a str),
    /// `exec` and its like: what of a pod is no read.
    Inside(&'a str),
    /// `/openapi/v2`
    OpenApi,
    Namespaces,
    Namespace(&'a str),
    Nodes,
    Node(&'a str),
    /// Events of one namespace or of all.
    Events(Option<&'a str>),
    /// Namespace and name of an event.
    Event(&'a str, &'a str),
    /// Services of one namespace or of all.
    Services,
    /// The kubelet's `/pods`.
    KubeletPods,
    /// The kubelet's `/runningpods/`.
    RunningPods,
}

impl<'a> Route<'a> {
    /// What stands under a path; `None` where nothing does.
    pub(crate) fn of(path: &'a [String]) -> Option<Self> {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let (first, rest) = match parts.split_first() {
            None => return Some(Self::Root),
            Some((first, rest)) => (*first, rest),
        };
        match (first, rest) {
            ("api", rest) => Self::of_core(rest),
            ("apis", []) => Some(Self::Groups),
            ("version", []) => Some(Self::Version),
            ("openapi", ["v2"]) => Some(Self::OpenApi),
            ("metrics", []) => Some(Self::Metrics),
            ("healthz" | "livez" | "readyz", []) => Some(Self::Health(first, None)),
            ("healthz" | "livez" | "readyz", [check]) => Some(Self::Health(first, Some(check))),
            ("pods", []) => Some(Self::KubeletPods),
            ("runningpods", []) => Some(Self::RunningPods),
            _ => None,
        }
    }

    /// The path with the names of its parts for their values.
    fn name(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Version => "/version",
            Self::Metrics => "/metrics",
            Self::Health("healthz", _) => "/healthz",
            Self::Health("livez", _) => "/livez",
            Self::Health(..) => "/readyz",
            Self::Versions => "/api",
            Self::Groups => "/apis",
            Self::Resources => "/api/v1",
            Self::Pods(None) => "/api/v1/pods",
            Self::Pods(Some(_)) => "/api/v1/namespaces/{namespace}/pods",
            Self::Pod(..) => "/api/v1/namespaces/{namespace}/pods/{name}",
            Self::Log(..) => "/api/v1/namespaces/{namespace}/pods/{name}/log",
            Self::Inside(_) => "/api/v1/namespaces/{namespace}/pods/{name}/{subresource}",
            Self::OpenApi => "/openapi/v2",
            Self::Namespaces => "/api/v1/namespaces",
            Self::Namespace(_) => "/api/v1/namespaces/{namespace}",
            Self::Nodes => "/api/v1/nodes",
            Self::Node(_) => "/api/v1/nodes/{name}",
            Self::Events(None) => "/api/v1/events",
            Self::Events(Some(_)) => "/api/v1/namespaces/{namespace}/events",
            Self::Event(..) => "/api/v1/namespaces/{namespace}/events/{name}",
            Self::Services => "/api/v1/services",
            Self::KubeletPods => "/pods",
            Self::RunningPods => "/runningpods",
        }
    }

    /// Whether anybody may see it: it tells nothing about pods.
    fn is_figures(&self) -> bool {
        matches!(self, Self::Metrics | Self::Health(..))
    }

    fn of_core(rest: &[&'a str]) -> Option<Self> {
        let Some((&"v1", rest)) = rest.split_first() else {
            return rest.is_empty().then_some(Self::Versions);
        };
        Some(match *rest {
            [] => Self::Resources,
            ["pods"] => Self::Pods(None),
            ["namespaces", namespace, "pods"] => Self::Pods(Some(namespace)),
            // `kubectl get --subresource=status` reads the whole pod there.
            ["namespaces", namespace, "pods", name] | ["namespaces", namespace, "pods", name, "status"] => {
                Self::Pod(namespace, name)
            }
            ["namespaces", namespace, "pods", name, "log"] => Self::Log(namespace, name),
            ["namespaces", _, "pods", _, inside @ ("exec" | "attach" | "portforward" | "proxy" | "scale")] => {
                Self::Inside(inside)
            }
            ["namespaces"] => Self::Namespaces,
            ["namespaces", name] => Self::Namespace(name),
            ["nodes"] => Self::Nodes,
            ["nodes", name] => Self::Node(name),
            ["events"] => Self::Events(None),
            ["namespaces", namespace, "events"] => Self::Events(Some(namespace)),
            ["namespaces", namespace, "events", name] => Self::Event(namespace, name),
            ["services"] | ["namespaces", _, "services"] => Self::Services,
            _ => return None,
        })
    }
}

/// What stands for the path of a request where nothing is served, or that cannot be read.
pub(crate) const NO_PATH: &str = "other";

/// What the path of a request is called where requests are counted: one of a few names, whatever clients ask for.
pub(crate) fn name(scope: Scope, path: &[String]) -> &'static str {
    if scope == Scope::Reads && path.first().is_some_and(|first| first == "v1") {
        return super::pod_service::name(path).unwrap_or(NO_PATH);
    }
    let route = Route::of(path).filter(|route| scope == Scope::Reads || route.is_figures());
    route.map_or(NO_PATH, Route::name)
}

/// The answer to a request, whatever it is.
pub(crate) fn answer(shared: &Shared, request: &Request) -> Reply {
    // Errors look different there. Where only figures are served, nothing is there.
    if shared.scope == Scope::Reads && request.path.first().is_some_and(|first| first == "v1") {
        return super::pod_service::answer(shared, request);
    }
    read(shared, request).unwrap_or_else(|refusal| match negotiate::wants_pretty(request) {
        true => Reply::pretty_refusal(&refusal),
        false => Reply::refusal(&refusal),
    })
}

fn read(shared: &Shared, request: &Request) -> Result<Reply, Refusal> {
    if shared.scope == Scope::Figures {
        rebinding::check(&request.host, &request.origin, &shared.names())?;
    }
    let in_scope = |route: &Route<'_>| shared.scope == Scope::Reads || route.is_figures();
    let route = Route::of(&request.path).filter(in_scope);
    if let Some(Route::Inside(what)) = route {
        return Err(not_a_read(what));
    }
    // Wherever it would go: who wants to change something is better told that nothing can be changed here.
    if request.method == Method::Other {
        return Err(Refusal::ReadOnly);
    }
    let route = route.ok_or(Refusal::NoSuchPath)?;
    if let Some(flaw) = &request.flaw {
        return Err(flaw.clone());
    }
    match route {
        Route::Root => discovery::paths(request),
        Route::Version => discovery::version(request),
        Route::Versions => discovery::versions(request),
        Route::Groups => discovery::groups(request),
        Route::Resources => discovery::resources(request),
        Route::Metrics => Ok(Reply::bytes(PROMETHEUS, shared.page.text().into_bytes())),
        Route::Health(endpoint, check) => health::answer(shared, request, endpoint, check),
        Route::Pods(namespace) => pods::list(shared, request, namespace),
        Route::Pod(namespace, name) => pods::get(shared, request, namespace, name),
        Route::Log(namespace, name) => pod_log::answer(shared, request, namespace, name),
        Route::Inside(what) => Err(not_a_read(what)),
        Route::OpenApi => discovery::openapi(request),
        Route::Namespaces => cluster::namespaces(shared, request),
        Route::Namespace(name) => cluster::namespace(shared, request, name),
        Route::Nodes => cluster::nodes(shared, request),
        Route::Node(name) => cluster::node(shared, request, name),
        Route::Events(namespace) => events::list(shared, request, namespace),
        Route::Event(namespace, name) => events::get(shared, request, namespace, name),
        Route::Services => cluster::services(shared, request),
        Route::KubeletPods => kubelet::pods(shared, request),
        Route::RunningPods => kubelet::running_pods(shared, request),
    }
}

/// Why something that is done with a pod's containers is refused, whatever the method: kubectl asks for it by GET or POST.
fn not_a_read(what: &str) -> Refusal {
    match what {
        "exec" => Refusal::NotARead("exec", "'crictl exec'"),
        "attach" => Refusal::NotARead("attach", "'crictl attach'"),
        "portforward" => Refusal::NotARead("port-forward", "'crictl port-forward', or the pod's address itself"),
        "proxy" => Refusal::NotARead("proxy", "the pod's address itself"),
        _ => Refusal::ReadOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_under_few_names() {
        let name = |scope, path: &str| {
            name(scope, &path.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        };
        for (path, want) in [
            ("/", "/"),
            ("/api/v1/pods/", "/api/v1/pods"),
            ("/api/v1/namespaces/a/pods", "/api/v1/namespaces/{namespace}/pods"),
            ("/api/v1/namespaces/a/pods/b/log", "/api/v1/namespaces/{namespace}/pods/{name}/log"),
            ("/api/v1/namespaces/a/events/b", "/api/v1/namespaces/{namespace}/events/{name}"),
            ("/api/v1/namespaces/a/services", "/api/v1/services"),
            ("/livez/ping", "/livez"),
            ("/readyz", "/readyz"),
            ("/v1/pods", "/v1/pods"),
            ("/v1/export/pods", "/v1/export/pods"),
            ("/v1/deployments", NO_PATH),
            ("/secrets/hunter2", NO_PATH),
        ] {
            assert_eq!(name(Scope::Reads, path), want, "{path}");
        }
        assert_eq!(name(Scope::Figures, "/metrics"), "/metrics");
        assert_eq!([name(Scope::Figures, "/api/v1/pods"), name(Scope::Figures, "/v1/pods")], [NO_PATH; 2]);
    }

    #[test]
    fn paths_and_what_stands_there() {
        for (path, want) in [
            ("", Some(Route::Root)),
            ("api", Some(Route::Versions)),
            ("api/v1", Some(Route::Resources)),
            ("apis", Some(Route::Groups)),
            ("api/v1/pods", Some(Route::Pods(None))),
            ("api/v1/namespaces/a/pods", Some(Route::Pods(Some("a")))),
            ("api/v1/namespaces/a/pods/b", Some(Route::Pod("a", "b"))),
            ("api/v1/namespaces/a/pods/b/log", Some(Route::Log("a", "b"))),
            ("api/v1/namespaces/a/events", Some(Route::Events(Some("a")))),
            ("api/v1/namespaces/a/events/b.1", Some(Route::Event("a", "b.1"))),
            ("api/v1/services", Some(Route::Services)),
            ("readyz/pods", Some(Route::Health("readyz", Some("pods")))),
            ("runningpods", Some(Route::RunningPods)),
            ("metrics", Some(Route::Metrics)),
            ("metrics/cadvisor", None),
            ("api/v2", None),
            ("api/v1/secrets", None),
            ("apis/apps/v1", None),
            ("api/v1/namespaces/a/pods/b/exec", Some(Route::Inside("exec"))),
            ("api/v1/namespaces/a/pods/b/nothing", None),
            ("openapi/v2", Some(Route::OpenApi)),
            ("openapi/v3", None),
            ("pods/x", None),
        ] {
            let parts: Vec<String> = path.split('/').filter(|p| !p.is_empty()).map(str::to_owned).collect();
            assert_eq!(Route::of(&parts), want, "{path}");
        }
    }
}
