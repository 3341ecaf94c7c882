"""What outlives a restart, and what does not get in the way of one."""
import signal

from node.contracts import message
from node.daemon import NODE, manifest
from standins.web import Web

Source = message("nodepods.v1.Source")

WEB = f"web-{NODE}"


def test_pods_of_a_url_outlive_it(make_daemon):
    web = Web()
    web.body = manifest("web", image="i:1").encode()
    arguments = ["--manifest-url", web.url, "--http-check-frequency", "1s", "-vv"]
    daemon = make_daemon(arguments=[*arguments, "--require", "http"]).start()
    before = daemon.list()[WEB]
    daemon.stop()
    web.close()

    daemon = make_daemon(arguments=arguments).start()
    after = daemon.list()[WEB]
    assert after.metadata.uid == before.metadata.uid
    assert after == before, "not a byte of it changes: that it is old is said beside it"
    told, by_name = daemon.sources()
    kept, http = by_name["checkpoint"], by_name["http"]
    assert (kept.state, kept.pods, http.state) == (Source.DOWN, 1, Source.STARTING)
    assert told.now_unix_ms - 60_000 < kept.last_success_unix_ms < told.daemon.started_unix_ms
    _, call = daemon.client().ListPods.whole()
    assert any(k == "x-nodepods-stale" and v.startswith("checkpoint since=") for k, v in call.initial_metadata())


def test_a_broken_answer_after_a_restart_keeps_the_last_good_one(make_daemon):
    web = Web()
    web.body = manifest("web", image="i:1").encode()
    arguments = ["--manifest-url", web.url, "--http-check-frequency", "1s", "--require", "http"]
    daemon = make_daemon(arguments=arguments).start()
    daemon.stop(signal.SIGTERM)
    web.body = b"kind: Pod"
    daemon = make_daemon(arguments=arguments).start()
    assert daemon.list()[WEB].metadata.annotations["nodepods.io/manifest"] == "broken"
    web.close()
