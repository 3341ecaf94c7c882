"""A directory of static pod manifests, in good and in bad hands."""
import os

import pytest

from node.daemon import NODE, manifest

WEB = f"web-{NODE}"


def image(pod):
    return pod.spec.containers[0].image


@pytest.fixture
def watch(daemon):
    w = daemon.watch()
    w.synced()
    yield w
    w.cancel()


def test_added_edited_removed(daemon, watch):
    path = f"{daemon.manifests}/web.yaml"
    with open(path, "w") as f:
        f.write(manifest("web", image="test.local/web:1", uid="6f3a"))
    added = watch.next("ADDED", WEB).pod
    assert (added.metadata.namespace, added.metadata.uid, added.spec.nodeName) == ("default", "6f3a", NODE)
    assert added.metadata.annotations["kubernetes.io/config.source"] == "file"

    with open(path, "w") as f:
        f.write(manifest("web", image="test.local/web:2", uid="6f3a"))
    watch.next("MODIFIED", WEB, lambda p: image(p) == "test.local/web:2")

    os.unlink(path)
    gone = watch.next("DELETED", WEB).pod
    assert gone.metadata.uid == "6f3a"
    assert daemon.list() == {}


def test_renamed_into_place(daemon, watch):
    daemon.put("web.yaml", manifest("web", image="test.local/web:1", uid="6f3a"))
    watch.next("ADDED", WEB)
    daemon.put("web.yaml", manifest("web", image="test.local/web:2", uid="6f3a"))
    seen = watch.next("MODIFIED", WEB)
    assert image(seen.pod) == "test.local/web:2"
    assert [e for e in watch.seen if e.type == "DELETED"] == []


def test_an_edit_without_a_uid_is_another_pod(daemon, watch):
    daemon.put("web.yaml", manifest("web", image="test.local/web:1"))
    first = watch.next("ADDED", WEB).pod
    daemon.put("web.yaml", manifest("web", image="test.local/web:2"))
    watch.until(lambda e: e.name == WEB and e.type != "DELETED" and image(e.pod) == "test.local/web:2", what=WEB)
    (pod,) = daemon.list().values()
    assert image(pod) == "test.local/web:2"
    assert first.metadata.uid and pod.metadata.uid


def test_broken_then_repaired(daemon, watch):
    daemon.put("web.yaml", manifest("web", image="test.local/web:1", uid="6f3a"))
    watch.next("ADDED", WEB)
    daemon.put("other.yaml", manifest("other"))
    watch.next("ADDED", f"other-{NODE}")

    daemon.put("web.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: [\nspec: {}\n")
    line = daemon.wait_log("web.yaml")
    assert "web.yaml:" in line, "the file with its line and column"
    pods = daemon.list()
    assert image(pods[WEB]) == "test.local/web:1", "the last good pod is served"
    assert f"other-{NODE}" in pods

    daemon.put("web.yaml", manifest("web", image="test.local/web:2", uid="6f3a"))
    watch.next("MODIFIED", WEB, lambda p: image(p) == "test.local/web:2")
    assert [e for e in watch.seen if e.type == "DELETED"] == []


def test_one_log_line_for_a_broken_file(daemon, watch):
    daemon.put("bad.yaml", "kind: Pod\nspec:\n  containers:\n  - name: 7\n    image: x\n")
    daemon.wait_log("bad.yaml")
    daemon.put("good.yaml", manifest("good"))
    watch.next("ADDED", f"good-{NODE}")
    assert len([line for line in daemon.log().splitlines() if "bad.yaml" in line]) == 1


def test_a_file_that_is_wrong_all_over_does_not_fill_the_log(daemon, watch):
    unknown = "".join(f"  field{i}: x\n" for i in range(40))
    daemon.put("many.yaml", manifest("many") + unknown)
    watch.next("ADDED", f"many-{NODE}")
    daemon.wait_log("30 more; `nodepods lint ")
    assert len([line for line in daemon.log().splitlines() if "many.yaml" in line]) == 11
    told, _ = daemon.sources()
    assert len(told.findings) == 40


def test_the_directory_itself_goes_and_comes_back(daemon, watch):
    daemon.put("web.yaml", manifest("web"))
    watch.next("ADDED", WEB)
    os.rename(daemon.manifests, f"{daemon.base}/away")
    os.mkdir(daemon.manifests)
    daemon.put("new.yaml", manifest("new"))
    watch.next("ADDED", f"new-{NODE}", timeout=30)
    # Whichever comes first: the pod of the old directory goes too.
    if WEB not in [e.name for e in watch.seen if e.type == "DELETED"]:
        watch.next("DELETED", WEB, timeout=30)
    assert list(daemon.list()) == [f"new-{NODE}"]


def test_links_swapped_as_in_a_config_map(make_daemon):
    d = make_daemon()
    for version in ("1", "2"):
        os.mkdir(f"{d.manifests}/..{version}")
        with open(f"{d.manifests}/..{version}/web.yaml", "w") as f:
            f.write(manifest("web", image=f"test.local/web:{version}", uid="6f3a"))
    os.symlink("..1", f"{d.manifests}/..data")
    os.symlink("..data/web.yaml", f"{d.manifests}/web.yaml")
    d.start()
    watch = d.watch()
    assert image(watch.synced()[WEB]) == "test.local/web:1"
    os.symlink("..2", f"{d.manifests}/..new")
    os.rename(f"{d.manifests}/..new", f"{d.manifests}/..data")
    watch.next("MODIFIED", WEB, lambda p: image(p) == "test.local/web:2")


def test_a_directory_that_does_not_exist_yet(make_daemon):
    d = make_daemon()
    os.rmdir(d.manifests)
    d.start()
    watch = d.watch()
    assert watch.synced() == {}
    os.mkdir(d.manifests)
    d.put("web.yaml", manifest("web"))
    watch.next("ADDED", WEB, timeout=30)


def test_rubbish_costs_log_lines_and_nothing_else(make_daemon):
    d = make_daemon()
    with open(f"{d.manifests}/web.yaml", "w") as f:
        f.write(manifest("web"))
    rubbish = {
        "binary.yaml": os.urandom(4096),
        "empty.yaml": b"",
        "nul.yaml": b"kind: Pod\0\0\0",
        "deep.yaml": b"[" * 100_000,
        "bomb.yaml": b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d,*a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 40)),
        "list.yaml": b"- 1\n- 2\n",
        "service.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
        "nameless.json": b'{"apiVersion":"v1","kind":"Pod","spec":{"containers":[]}}',
        "half.json": b'{"apiVersion":"v1","kind":"Pod","meta',
        "latin.yaml": "kind: Pod # Gr\xfc\xdfe".encode("latin-1"),
        ".hidden.yaml": manifest("hidden").encode(),
    }
    for name, data in rubbish.items():
        with open(f"{d.manifests}/{name}", "wb") as f:
            f.write(data)
    with open(f"{d.manifests}/huge.yaml", "wb") as f:
        f.truncate(11 << 20)
    os.mkdir(f"{d.manifests}/directory.yaml")
    os.mkfifo(f"{d.manifests}/pipe.yaml")
    os.symlink("/nowhere", f"{d.manifests}/dangling.yaml")
    os.symlink("loop.yaml", f"{d.manifests}/loop.yaml")
    os.symlink("/dev/zero", f"{d.manifests}/zero.yaml")
    d.start()
    assert list(d.list()) == [WEB]

    watch = d.watch()
    watch.synced()
    d.put("later.yaml", manifest("later"))
    watch.next("ADDED", f"later-{NODE}")
    for name in ("binary.yaml", "nul.yaml", "deep.yaml", "bomb.yaml", "service.yaml", "half.json", "huge.yaml"):
        assert name in d.log(), f"{name} is reported"
    for name, what in {"directory.yaml": "a directory", "pipe.yaml": "a named pipe", "zero.yaml": "a device"}.items():
        assert d.log().count(f"{name} is {what}: not read, as by a kubelet") == 1
