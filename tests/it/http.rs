//! The Kubernetes API and the kubelet's reads: shapes, negotiation, selectors, pages, errors.

use std::time::{Duration, UNIX_EPOCH};

use nodepods::codec::wire::{self, Value as Wire};
use nodepods::codec::yaml;
use nodepods::store::snapshot::Snapshot;
use nodepods::store::update::{Health, HealthState, SourceId};
use serde_json::{json, Value};

use crate::http_client::{pod, running, snapshot, Server, TABLE};

fn three() -> Server {
    Server::new(snapshot(
        30,
        &[
            running(10, "default", "web", json!({"app": "web"})),
            running(20, "default", "db", json!({"app": "db"})),
            running(30, "kube-system", "proxy", json!({"app": "proxy", "tier": "node"})),
        ],
    ))
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|p| p["metadata"]["name"].as_str().unwrap()).collect()
}

#[test]
fn a_list_is_in_the_order_of_an_api_server_and_shows_our_revisions() {
    let server = three();
    let list = server.json("/api/v1/pods", "");
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("PodList"), &json!("v1")));
    assert_eq!(list["metadata"], json!({"resourceVersion": "30"}));
    assert_eq!(names(&list), ["db", "web", "proxy"]);
    let web = &list["items"][1];
    assert_eq!(web["metadata"]["resourceVersion"], "10");
    assert_eq!((&web["kind"], &web["spec"]["containers"][0]["name"]), (&Value::Null, &json!("main")));
    assert_eq!(names(&server.json("/api/v1/namespaces/kube-system/pods/", "")), ["proxy"]);
    assert_eq!(server.json("/api/v1/namespaces/none/pods", "")["items"], json!([]));
}

#[test]
fn one_pod_has_its_type() {
    let server = three();
    let pod = server.json("/api/v1/namespaces/default/pods/web", "");
    assert_eq!((&pod["kind"], &pod["apiVersion"]), (&json!("Pod"), &json!("v1")));
    assert_eq!(pod["status"]["phase"], "Running");
    let missing = server.get("/api/v1/namespaces/default/pods/nope", "");
    assert_eq!(missing.status(), (404, "NotFound".into(), "pods \"nope\" not found".into()));
    assert_eq!(missing.json()["details"], json!({"name": "nope", "kind": "pods"}));
}

#[test]
fn a_table_is_what_kubectl_prints() {
    let server = three();
    let table = server.json("/api/v1/pods?limit=500", TABLE);
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    let columns: Vec<_> = table["columnDefinitions"].as_array().unwrap().iter().map(|c| c["name"].as_str()).collect();
    let want = "Name Ready Status Restarts Age IP Node:Nominated Node:Readiness Gates".replace(' ', ":");
    assert_eq!(
        columns.into_iter().flatten().collect::<Vec<_>>().join(":"),
        want.replace("Nominated:", "Nominated ").replace("Readiness:", "Readiness ")
    );
    let row = &table["rows"][1];
    assert_eq!(row["cells"][0], "web");
    assert_eq!(row["cells"][1], "1/1");
    assert_eq!(row["cells"][2], "Running");
    assert_eq!(row["cells"][5], "10.0.0.7");
    assert_eq!(row["cells"][6], "node-1");
    assert_eq!(row["cells"][7], "<none>");
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(row["object"]["spec"], Value::Null);
    let whole = server.json("/api/v1/pods?includeObject=Object", TABLE);
    assert_eq!(whole["rows"][1]["object"]["spec"]["nodeName"], "node-1");
    assert_eq!(server.json("/api/v1/pods?includeObject=None", TABLE)["rows"][0]["object"], Value::Null);
    assert_eq!(server.get("/api/v1/pods?includeObject=All", TABLE).code, 400);
    let one = server.json("/api/v1/namespaces/default/pods/web", TABLE);
    assert_eq!((one["rows"].as_array().unwrap().len(), &one["rows"][0]["cells"][0]), (1, &json!("web")));
}

#[test]
fn a_finished_pod_is_marked_in_its_row() {
    let done = pod(
        5,
        json!({"metadata": {"name": "job", "namespace": "a", "uid": "u"}, "spec": {}, "status": {"phase": "Succeeded"}}),
    );
    let server = Server::new(snapshot(5, &[done]));
    let conditions = &server.json("/api/v1/pods", TABLE)["rows"][0]["conditions"];
    assert_eq!((&conditions[0]["type"], &conditions[0]["reason"]), (&json!("Completed"), &json!("Succeeded")));
}

#[test]
fn yaml_is_the_json() {
    let server = three();
    for target in ["/api/v1/pods", "/api/v1/namespaces/none/pods", "/api/v1/namespaces/default/pods/web", "/version"] {
        let answer = server.get(target, "Accept: application/yaml\r\n");
        assert_eq!(answer.header("content-type"), Some("application/yaml"));
        let document = yaml::parse(&answer.body).unwrap_or_else(|e| panic!("{target}: {e}: {}", answer.text()));
        let value = document.value;
        assert_eq!(value, server.json(target, ""), "{target}");
    }
}

#[test]
fn people_get_indented_json() {
    let server = three();
    let refused = server.get("/api/v1/secrets", "User-Agent: curl/8.5.0\r\n");
    assert!(refused.text().starts_with("{\n  \"") && refused.text().ends_with("\n}\n"), "{}", refused.text());
    assert_eq!(refused.status().0, 404);
    assert_eq!(server.get("/api/v1/secrets", "").text().lines().count(), 1);
    let answer = server.get("/api/v1/pods", "User-Agent: curl/8.5.0\r\n");
    assert!(answer.text().starts_with("{\n  \"kind\": \"PodList\",\n  \"apiVersion\": \"v1\",\n"), "{}", answer.text());
    assert_eq!(answer.json(), server.json("/api/v1/pods", ""));
}

/// Type, then message, of a protobuf answer.
fn opened(body: &[u8]) -> (String, Vec<u8>) {
    let unknown = body.strip_prefix(b"k8s\0").unwrap();
    assert!(unknown.ends_with(b"\x1a\0\x22\0"));
    let field = |bytes: &[u8], number| {
        wire::fields(bytes).map(Result::unwrap).find_map(|f| match f.value {
            Wire::Bytes(b) if f.number == number => Some(b.to_vec()),
            _ => None,
        })
    };
    let kind = field(&field(unknown, 1).unwrap(), 2).unwrap();
    (String::from_utf8(kind).unwrap(), field(unknown, 2).unwrap())
}

#[test]
fn protobuf_is_the_json() {
    use nodepods::codec::{json, schema::id};
    let server = three();
    let accept = "Accept: application/vnd.kubernetes.protobuf,application/json\r\n";
    let one = server.get("/api/v1/namespaces/default/pods/web", accept);
    assert_eq!(one.header("content-type"), Some("application/vnd.kubernetes.protobuf"));
    let (kind, message) = opened(&one.body);
    assert_eq!(kind, "Pod");
    let want = server.json("/api/v1/namespaces/default/pods/web", "");
    assert_eq!(json::pod_value(&message).unwrap(), want);
    let (kind, list) = opened(&server.get("/api/v1/pods", accept).body);
    assert_eq!(kind, "PodList");
    let items: Vec<_> = wire::fields(&list).map(Result::unwrap).filter(|f| f.number == 2).collect();
    let Wire::Bytes(web) = items[1].value else { panic!("not a message") };
    assert_eq!(
        (items.len(), json::from_wire(id::POD, web).unwrap()["metadata"].clone()),
        (3, want["metadata"].clone())
    );
}

#[test]
fn metadata_alone() {
    let server = three();
    let accept = |kind| format!("Accept: application/json;as={kind};g=meta.k8s.io;v=v1\r\n");
    let list = server.json("/api/v1/pods", &accept("PartialObjectMetadataList"));
    assert_eq!(
        (&list["kind"], &list["items"][0]["kind"]),
        (&json!("PartialObjectMetadataList"), &json!("PartialObjectMetadata"))
    );
    assert_eq!(list["items"][0]["spec"], Value::Null);
    let one = server.json("/api/v1/namespaces/default/pods/web", &accept("PartialObjectMetadata"));
    assert_eq!((&one["metadata"]["name"], &one["status"]), (&json!("web"), &Value::Null));
    let (code, reason, message) = server.get("/api/v1/pods", &accept("PartialObjectMetadata")).status();
    assert_eq!((code, reason.as_str()), (406, "NotAcceptable"));
    assert!(message.starts_with("only the following media types are accepted: application/json"), "{message}");
}

#[test]
fn selectors() {
    let server = three();
    for (query, want) in [
        ("labelSelector=app%3Dweb", &["web"][..]),
        ("labelSelector=app+in+(web,db)", &["db", "web"]),
        ("labelSelector=!tier", &["db", "web"]),
        ("fieldSelector=metadata.name%3Dproxy", &["proxy"]),
        ("fieldSelector=spec.nodeName%3Dnode-1,metadata.namespace!%3Ddefault", &["proxy"]),
        ("fieldSelector=status.phase%3DPending", &[]),
    ] {
        assert_eq!(names(&server.json(&format!("/api/v1/pods?{query}"), "")), want, "{query}");
    }
    let (code, reason, message) = server.get("/api/v1/pods?fieldSelector=spec.color%3Dred", "").status();
    assert_eq!((code, reason.as_str(), message.as_str()), (400, "BadRequest", "field label not supported: spec.color"));
}

#[test]
fn pages_come_from_one_state() {
    let server = three();
    let first = server.json("/api/v1/pods?limit=2", "");
    assert_eq!(names(&first), ["db", "web"]);
    let token = first["metadata"]["continue"].as_str().unwrap();
    server.publish(snapshot(40, &[]));
    let second = server.json(&format!("/api/v1/pods?limit=2&continue={token}"), "");
    assert_eq!((names(&second), &second["metadata"]), (vec!["proxy"], &json!({"resourceVersion": "30"})));
    assert_eq!(server.get("/api/v1/pods?continue=nonsense", "").status().0, 400);
    let (code, reason, _) = server.get("/api/v1/pods?continue=1.1", "").status();
    assert_eq!((code, reason.as_str()), (410, "Expired"));
}

#[test]
fn revisions_of_lists() {
    let server = three();
    for (query, code) in [
        ("resourceVersion=0", 200),
        ("resourceVersion=29", 200),
        ("resourceVersion=30&resourceVersionMatch=Exact", 200),
        ("resourceVersion=29&resourceVersionMatch=Exact", 410),
        ("resourceVersion=31", 504),
        ("resourceVersion=abc", 400),
        ("resourceVersionMatch=Exact", 422),
        ("sendInitialEvents=true", 422),
        ("limit=1&limit=2", 400),
        ("labelSelector=%ff", 400),
    ] {
        assert_eq!(server.get(&format!("/api/v1/pods?{query}"), "").code, code, "{query}");
    }
    let too_new = server.get("/api/v1/pods?resourceVersion=31", "");
    assert_eq!(too_new.status(), (504, "Timeout".into(), "Too large resource version: 31, current: 30".into()));
    assert_eq!(too_new.header("retry-after"), Some("1"));
}

#[test]
fn an_unchanged_list_is_304() {
    let server = three();
    let first = server.get("/api/v1/pods", "");
    let tag = first.header("etag").unwrap().to_owned();
    let again = server.get("/api/v1/pods", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.code, again.header("etag"), again.body.len()), (304, Some(tag.as_str()), 0));
    let other = |target, fields: &str| server.get(target, &format!("If-None-Match: {tag}\r\n{fields}")).code;
    assert_eq!(other("/api/v1/pods?labelSelector=app", ""), 200);
    assert_eq!(other("/api/v1/pods", "Accept: application/yaml\r\n"), 200);
    assert_eq!(server.get("/api/v1/pods", TABLE).header("etag"), None, "ages change without a revision");
    server.publish(snapshot(31, &[]));
    assert_eq!(other("/api/v1/pods", ""), 200);
}

#[test]
fn discovery() {
    let server = three();
    assert_eq!(server.json("/api", "")["versions"], json!(["v1"]));
    assert_eq!(server.json("/apis/", "")["groups"], json!([]));
    let list = server.json("/api/v1/", "");
    let pods = list["resources"].as_array().unwrap().iter().find(|r| r["name"] == "pods").unwrap();
    assert_eq!((&pods["verbs"], &pods["shortNames"]), (&json!(["get", "list", "watch"]), &json!(["po"])));
    let accept = "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json\r\n";
    for target in ["/api", "/apis"] {
        let answer = server.get(target, accept);
        assert!(answer.header("content-type").unwrap().ends_with("as=APIGroupDiscoveryList"), "{target}");
        assert_eq!(answer.json()["apiVersion"], "apidiscovery.k8s.io/v2", "{target}");
    }
    let core = &server.json("/api", accept)["items"][0]["versions"][0]["resources"];
    let pods = core.as_array().unwrap().iter().find(|r| r["resource"] == "pods").unwrap();
    assert_eq!((&pods["scope"], &pods["subresources"][0]["subresource"]), (&json!("Namespaced"), &json!("log")));
    let version = server.json("/version/", "");
    let keys =
        ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
    assert!(keys.iter().all(|k| version[k].is_string()), "{version}");
    assert!(server.json("/", "")["paths"].as_array().unwrap().contains(&json!("/api/v1")));
    let (code, reason, message) = server.get("/openapi/v3", "").status();
    assert_eq!((code, reason.as_str()), (404, "NotFound"));
    assert!(message.contains("this is nodepods' read-only view of the node"), "{message}");
}

#[test]
fn an_openapi_document_without_schemas() {
    let server = three();
    assert_eq!(server.json("/openapi/v2", "")["swagger"], "2.0");
    let accept = "Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf\r\n";
    let answer = server.get("/openapi/v2", accept);
    assert!(answer.header("content-type").unwrap().ends_with(".v2.v1.0+protobuf"));
    let version = wire::fields(&answer.body).next().unwrap().unwrap();
    assert!(matches!((version.number, version.value), (1, Wire::Bytes(b"2.0"))));
}

#[test]
fn writes_are_refused() {
    let server = three();
    for (method, target, code) in [
        ("DELETE", "/api/v1/namespaces/default/pods/web", 405),
        ("POST", "/api/v1/namespaces/default/pods", 405),
        ("PATCH", "/api/v1/namespaces/default/pods/web", 405),
        ("POST", "/api/v1/namespaces/default/pods/web/exec?command=sh", 405),
        ("POST", "/apis/apps/v1/deployments", 405),
    ] {
        let mut client = server.connect();
        client.ask(method, target, "Content-Length: 2\r\n");
        client.send(b"{}");
        assert_eq!(client.answer().status().0, code, "{method} {target}");
        client.ask("GET", "/healthz", "");
        assert_eq!(client.answer().text(), "ok", "the body was not read over");
    }
}

#[test]
fn a_head_has_no_body() {
    let server = three();
    let mut client = server.connect();
    client.ask("HEAD", "/api/v1/pods", "");
    let head = client.head();
    assert!(head.code == 200 && head.header("etag").is_some());
}

#[test]
fn before_the_node_is_known_nothing_is_listed() {
    let server = Server::new(Snapshot::empty(1));
    for target in ["/api/v1/pods", "/api/v1/pods?watch=true", "/api/v1/namespaces/a/pods/b", "/pods", "/api/v1/nodes"] {
        let answer = server.get(target, "");
        assert_eq!((answer.status().1.as_str(), answer.code), ("ServiceUnavailable", 503), "{target}");
    }
    assert_eq!(server.get("/livez", "").text(), "ok");
    assert_eq!(server.get("/readyz", "").code, 500);
    assert!(server.get("/readyz?verbose", "").text().starts_with("[+]ping ok\n[-]pods failed: "));
    server.publish(snapshot(2, &[]));
    assert_eq!(server.get("/readyz", "").text(), "ok");
    assert_eq!(server.get("/readyz/pods?verbose", "").text(), "[+]pods ok\nreadyz check passed\n");
    assert_eq!(server.get("/readyz/nonsense", "").code, 404);
}

#[test]
fn a_stale_source_is_said_in_a_warning() {
    let mut state = snapshot(2, &[]);
    let since = UNIX_EPOCH + Duration::from_secs(86_400);
    let health = Health { state: HealthState::Down, since, error: "gone".into(), target: String::new() };
    state.sources = vec![(SourceId::ApiServer, health)];
    let server = Server::new(state);
    let want = "299 - \"stale: apiserver does not answer since 1970-01-02T00:00:00Z; shown is what it said last\"";
    for target in ["/api/v1/pods", "/pods", "/api/v1/pods?watch=1&timeoutSeconds=1"] {
        assert_eq!(server.get(target, "").header("warning"), Some(want), "{target}");
    }
    let node = server.json("/api/v1/nodes/node-1", "");
    assert_eq!(node["status"]["conditions"][0]["type"], "nodepods.io/apiserver");
}

#[test]
fn namespaces_nodes_and_events() {
    let server = three();
    assert_eq!(server.json("/api/v1/namespaces/default/pods/web/status", "")["kind"], "Pod");
    assert_eq!(names(&server.json("/api/v1/namespaces", "")), ["default", "kube-system"]);
    assert_eq!(server.json("/api/v1/namespaces/default", "")["kind"], "Namespace");
    assert_eq!(server.get("/api/v1/namespaces/none", "").code, 404);
    assert_eq!(names(&server.json("/api/v1/nodes", "")), ["node-1"]);
    assert_eq!(names(&server.json("/api/v1/nodes?fieldSelector=metadata.name%3Dother", "")), [""; 0]);
    let table = server.json("/api/v1/nodes", TABLE);
    assert_eq!(table["rows"][0]["cells"][1], "Unknown");
    assert_eq!(table["columnDefinitions"][8]["name"], "Kernel-Version");
    let node = server.json("/api/v1/nodes/node-1", "");
    assert_eq!(table["rows"][0]["cells"][8], node["status"]["nodeInfo"]["kernelVersion"]);
    assert!(node["status"]["capacity"]["memory"].as_str().is_some_and(|m| m.ends_with("Ki")), "{node}");
    assert!(node["status"].get("allocatable").is_none(), "that is for a kubelet to say");
    let events = server.json("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dweb", "");
    assert_eq!((&events["kind"], &events["items"]), (&json!("EventList"), &json!([])));
    assert_eq!(server.get("/api/v1/nodes?watch=true", "").code, 405);
}

#[test]
fn the_reads_of_a_kubelet() {
    let server = three();
    let pods = server.json("/pods", "");
    assert_eq!(
        (pods["metadata"].clone(), pods["items"][0]["metadata"]["resourceVersion"].clone()),
        (json!({}), json!("source-77"))
    );
    let running = server.json("/runningpods/", "");
    let want = json!([{"name": "main", "image": "example.com/web:1", "resources": {}}]);
    assert_eq!(running["items"][0]["spec"]["containers"], want);
    server.publish(snapshot(40, &[]));
    assert_eq!(server.json("/pods", "")["items"], Value::Null);
    assert_eq!(server.json("/runningpods/", "")["items"], Value::Null);
}

#[test]
fn a_large_list_arrives_whole() {
    let pods: Vec<_> = (0..1000)
        .map(|n| running(n + 1, "default", &format!("pod-{n:04}"), json!({"filler": "x".repeat(60)})))
        .collect();
    let server = Server::new(snapshot(1000, &pods));
    let list = server.get("/api/v1/pods", "");
    assert_eq!(list.header("transfer-encoding"), Some("chunked"));
    let items = list.json()["items"].as_array().unwrap().len();
    assert_eq!(items, 1000);
    let (_, message) = opened(&server.get("/api/v1/pods", "Accept: application/vnd.kubernetes.protobuf\r\n").body);
    assert_eq!(wire::fields(&message).filter(|f| f.as_ref().unwrap().number == 2).count(), 1000);
    assert_eq!(server.json("/api/v1/pods", TABLE)["rows"].as_array().unwrap().len(), 1000);
}
