"""What the daemon says about its sources: `nodepods.v1.Node/GetSources`."""
import os
import time

from node.contracts import message
from node.daemon import NODE, manifest

Source = message("nodepods.v1.Source")
Finding = message("nodepods.v1.Finding")


def test_sources_on_a_good_day(node):
    node.put("web.yaml", manifest("web", uid="fixed-1"))
    watch = node.watch()
    watch.next("ADDED", f"web-{NODE}")
    watch.cancel()
    told, by_name = node.sources()
    assert told.initialized and not told.waiting_for
    assert (told.daemon.pid, told.pods) == (node.process.pid, 1)
    assert told.daemon.version and told.daemon.commit and "linux" in told.daemon.target
    assert (told.node.name, told.node.name_from) == (NODE, "set by --hostname-override")
    assert told.node.distribution and told.node.distribution_from
    files, cri = by_name["file"], by_name["cri"]
    assert (files.state, files.target, files.pods) == (Source.UP, node.manifests, 1)
    assert (cri.state, cri.found) == (Source.UP, "named by --container-runtime-endpoint")
    assert 0 < cri.since_unix_ms <= cri.last_success_unix_ms <= told.now_unix_ms
    assert told.runtime.name == "containerd" and told.runtime.version
    conditions = {c.type: c for c in told.runtime.conditions}
    assert conditions["RuntimeReady"].status
    assert "NetworkReady" in conditions


def test_it_answers_before_the_node_is_known(make_daemon, base):
    silent = f"{base}/nobody.sock"
    daemon = make_daemon(endpoint=f"unix://{silent}", arguments=["--init-timeout", "0"]).spawn()
    end = time.monotonic() + 15
    while not os.path.exists(daemon.socket):
        assert time.monotonic() < end, daemon.log()
        time.sleep(0.01)
    daemon.wait_log("does not answer")
    told, by_name = daemon.sources()
    assert not told.initialized and "cri" in told.waiting_for
    cri = by_name["cri"]
    assert (cri.state, cri.target) == (Source.STARTING, silent)
    assert cri.error and cri.error == cri.last_error and cri.last_error_unix_ms and not cri.last_success_unix_ms


def test_findings_name_the_pod_they_belong_to(daemon):
    watch = daemon.watch()
    daemon.put("web.yaml", manifest("web", uid="fixed-1"))
    watch.next("ADDED", f"web-{NODE}")
    watch.cancel()
    daemon.put("web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web\n")
    daemon.put("db.yaml", manifest("db").replace("name: main", "name: Main"))
    daemon.wait_log("db.yaml")
    daemon.wait_log("web.yaml")
    found = {}
    end = time.monotonic() + 10
    while len(found) < 2 and time.monotonic() < end:
        told, _ = daemon.sources()
        found = {os.path.basename(f.file): f for f in told.findings}
    web, db = found["web.yaml"], found["db.yaml"]
    assert (web.pod.name, web.pod.uid, web.severity) == (f"web-{NODE}", "fixed-1", Finding.ERROR)
    assert (db.pod.name, db.pod.uid, db.field) == (f"db-{NODE}", "", "spec.containers[0].name")
    assert db.line and db.column and db.reason and db.message
