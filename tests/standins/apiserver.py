"""A small, honest API server with pods and nothing else.

It lists, pages and watches as kube-apiserver does: JSON and protobuf, field and label selectors, bookmarks,
`timeoutSeconds`, 410 as a status or as an event, 504 for versions to come, 422 for `sendInitialEvents`. kubectl
works with it, which a test checks. It has handles for bad days: `forget`, `cut`, `refuse`, `silent`.

    python tests/standins/apiserver.py --port 8001 [--pods LIST.json] [--tls DIR]
"""
import argparse
import base64
import copy
import datetime
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from standins import wire  # noqa: E402

PROTOBUF = "application/vnd.kubernetes.protobuf"
FIELDS = {
    "metadata.name": lambda p: p["metadata"]["name"],
    "metadata.namespace": lambda p: p["metadata"]["namespace"],
    "spec.nodeName": lambda p: p["spec"].get("nodeName", ""),
    "status.phase": lambda p: p.get("status", {}).get("phase", ""),
}
RESOURCE = {
    "name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod",
    "verbs": ["get", "list", "watch"], "shortNames": ["po"], "categories": ["all"],
}
VERSION = {
    "major": "1", "minor": "36", "gitVersion": "v1.36.0-standin", "gitCommit": "", "gitTreeState": "", "buildDate": "",
    "goVersion": "", "compiler": "", "platform": "",
}


class Refused(Exception):
    """Becomes a Status."""

    def __init__(self, code, reason, message, retry_after=0):
        details = {"retryAfterSeconds": retry_after} if retry_after else {}
        self.status = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "details": details, "code": code,
        }
        super().__init__(message)


class Store:
    """Pods, one counter of versions, and the changes that led to now."""

    def __init__(self):
        self.changed = threading.Condition()
        self.version, self.oldest = 1000, 1000
        self.pods, self.history = {}, []

    def put(self, pod):
        with self.changed:
            pod = copy.deepcopy(pod)
            meta = pod["metadata"]
            meta.setdefault("namespace", "default")
            key = (meta["namespace"], meta["name"])
            before = self.pods.get(key)
            meta.setdefault("uid", before["metadata"]["uid"] if before else f"uid-{meta['name']}-{self.version + 1}")
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            meta.setdefault("creationTimestamp", before["metadata"]["creationTimestamp"] if before else now)
            pod = {"kind": "Pod", "apiVersion": "v1", **pod}
            self._note(key, before, pod)
            self.pods[key] = pod
            return pod

    def delete(self, name, namespace="default"):
        with self.changed:
            before = self.pods.pop((namespace, name))
            self._note((namespace, name), before, None)

    def _note(self, key, before, after):
        self.version += 1
        last = after if after is not None else copy.deepcopy(before)
        last["metadata"]["resourceVersion"] = str(self.version)
        self.history.append((self.version, before if after is not None else last, after))
        self.changed.notify_all()

    def forget(self):
        """Compacts: a watch from before now is too old."""
        with self.changed:
            self.oldest, self.history = self.version, []


class ApiServer:
    """Serves until `close`. `url` has no path."""

    def __init__(self, port=0, tls=None, token=None, bookmark_every=60):
        self.store, self.token, self.bookmark_every = Store(), token, bookmark_every
        self.requests, self._refusals, self._open = [], [], set()
        self.silent = threading.Event()
        self._port, self._tls = port, tls
        self._server = None
        self.start()

    def start(self):
        server = _Server(("127.0.0.1", self._port), _Handler)
        server.api = self
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{self._tls}/server.pem", f"{self._tls}/server.key")
            context.load_verify_locations(f"{self._tls}/ca.pem")
            context.verify_mode = ssl.CERT_OPTIONAL
            server.tls = context
        self._server, self._port = server, server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def put(self, pod):
        return self.store.put(pod)

    def delete(self, name, namespace="default"):
        self.store.delete(name, namespace)

    def forget(self):
        self.store.forget()

    def refuse(self, code, reason, message="refused by the test", retry_after=0):
        """The next request for pods is answered with this."""
        self._refusals.append(Refused(code, reason, message, retry_after))

    def next_refusal(self):
        return self._refusals.pop(0) if self._refusals else None

    def cut(self):
        """Breaks off every connection."""
        for connection in list(self._open):
            try:
                connection.shutdown(2)
            except OSError:
                pass

    def stop(self):
        """Nothing listens any more; what is open breaks off. `start` comes back on the same port."""
        self._server.shutdown()
        self._server.server_close()
        self.cut()

    close = stop


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    tls = None

    def handle_error(self, request, client_address):
        pass  # clients leave


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.server.api._open.add(self.request)
        super().setup()

    def finish(self):
        self.server.api._open.discard(self.request)
        super().finish()

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query, keep_blank_values=True).items()}
        try:
            self._authenticate()
            self._route([p for p in url.path.split("/") if p], query)
        except Refused as refused:
            self._refuse(refused.status)

    def _method_not_allowed(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        text = "the server does not allow this method on the requested resource"
        self._refuse(Refused(405, "MethodNotAllowed", text).status)

    do_POST = do_PUT = do_PATCH = do_DELETE = _method_not_allowed

    def _authenticate(self):
        if not self.server.tls:
            return
        token = self.server.api.token
        bearer = self.headers.get("Authorization") == f"Bearer {token}" if token else False
        if not bearer and not self.request.getpeercert():
            raise Refused(401, "Unauthorized", "Unauthorized")

    def _route(self, parts, query):
        if parts in (["healthz"], ["livez"], ["readyz"]):
            return self._send(200, "text/plain", b"ok")
        if parts == ["version"]:
            return self._json(VERSION)
        if parts == ["api"]:
            return self._json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        if parts == ["apis"]:
            return self._json({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        if parts == ["api", "v1"]:
            return self._json({"kind": "APIResourceList", "groupVersion": "v1", "resources": [RESOURCE]})
        if parts == ["api", "v1", "pods"]:
            return self._pods(None, query)
        if parts[:3] == ["api", "v1", "namespaces"] and len(parts) in (5, 6) and parts[4] == "pods":
            return self._pods(parts[3], query) if len(parts) == 5 else self._pod(parts[3], parts[5])
        raise Refused(404, "NotFound", "the server could not find the requested resource")

    def _pod(self, namespace, name):
        found = self.server.api.store.pods.get((namespace, name))
        if found is None:
            raise Refused(404, "NotFound", f'pods "{name}" not found')
        if self._wants_protobuf():
            return self._send(200, PROTOBUF, wire.seal("Pod", wire.pod(found)))
        return self._json(found)

    def _pods(self, namespace, query):
        api = self.server.api
        api.requests.append(self.path)
        if refused := api.next_refusal():
            raise refused
        wanted = _selector(namespace, query)
        if "sendInitialEvents" in query:
            text = 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden'
            raise Refused(422, "Invalid", text)
        if query.get("watch") in ("true", "1"):
            return self._watch(wanted, query)
        self._list(wanted, query)

    def _list(self, wanted, query):
        store = self.server.api.store
        with store.changed:
            version, all_pods = store.version, sorted(store.pods.items())
        after, asked = None, query.get("resourceVersion", "")
        if "continue" in query:
            if asked:
                raise Refused(400, "BadRequest", "specifying resource version is not allowed when using continue")
            version, after = json.loads(base64.urlsafe_b64decode(query["continue"]))
            if version < store.oldest:
                raise Refused(410, "Expired", "The provided continue parameter is too old")
        elif asked and int(asked) > version:
            raise Refused(504, "Timeout", f"Too large resource version: {asked}, current: {version}", 1)
        pods = [(k, p) for k, p in all_pods if wanted(p) and (after is None or list(k) > after)]
        # With a resource version, the watch cache answers, and has no pages.
        limit = int(query.get("limit") or 0) if not asked else 0
        token = ""
        if limit and len(pods) > limit:
            pods = pods[:limit]
            token = base64.urlsafe_b64encode(json.dumps([version, pods[-1][0]]).encode()).decode()
        items = [{k: v for k, v in p.items() if k not in ("kind", "apiVersion")} for _, p in pods]
        if self._wants_protobuf():
            return self._send(200, PROTOBUF, wire.pod_list(str(version), token, items))
        meta = {"resourceVersion": str(version), **({"continue": token} if token else {})}
        self._json({"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items})

    def _watch(self, wanted, query):
        api, store = self.server.api, self.server.api.store
        protobuf = self._wants_protobuf()
        asked = query.get("resourceVersion") or "0"
        bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
        end = time.monotonic() + float(query.get("timeoutSeconds") or 1800)
        with store.changed:
            if asked == "0":
                seen, first = store.version, [("ADDED", p) for p in store.pods.values() if wanted(p)]
            else:
                seen, first = int(asked), []
        self.send_response(200)
        self.send_header("Content-Type", f"{PROTOBUF};stream=watch" if protobuf else "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

        def say(kind, obj):
            out = wire.event(kind, obj) if protobuf else (json.dumps({"type": kind, "object": obj}) + "\n").encode()
            self.wfile.write(f"{len(out):x}\r\n".encode() + out + b"\r\n")

        def bookmark():
            say("BOOKMARK", {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": str(seen)},
                             "spec": {"containers": None}, "status": {}})

        for kind, pod in first:
            say(kind, pod)
        next_bookmark = time.monotonic() + api.bookmark_every
        while time.monotonic() < end:
            with store.changed:
                if seen < store.oldest:
                    text = f"too old resource version: {seen} ({store.oldest})"
                    say("ERROR", Refused(410, "Expired", text).status)
                    break
                if store.version == seen or api.silent.is_set():
                    left = min(end, next_bookmark if bookmarks else end) - time.monotonic()
                    store.changed.wait(max(0.001, min(left, 0.2)))
                news = [] if api.silent.is_set() else [c for c in store.history if c[0] > seen]
            for version, before, after in news:
                seen = version
                was, now = before is not None and wanted(before), after is not None and wanted(after)
                if was and not now:
                    last = copy.deepcopy(after or before)
                    last["metadata"]["resourceVersion"] = str(version)
                    say("DELETED", last)
                elif now:
                    say("MODIFIED" if was else "ADDED", after)
            if bookmarks and not api.silent.is_set() and time.monotonic() >= next_bookmark:
                bookmark()
                next_bookmark = time.monotonic() + api.bookmark_every
        else:
            if bookmarks:
                bookmark()
        self.wfile.write(b"0\r\n\r\n")

    def _wants_protobuf(self):
        for part in (self.headers.get("Accept") or "").split(","):
            kind = part.split(";")[0].strip()
            if kind == PROTOBUF:
                return True
            if kind in ("application/json", "*/*", "application/*") and "as=" not in part:
                return False
        return False

    def _refuse(self, status):
        retry = status["details"].get("retryAfterSeconds")
        extra = {"Retry-After": str(retry)} if retry else {}
        if self._wants_protobuf():
            return self._send(status["code"], PROTOBUF, wire.status(status), extra)
        self._send(status["code"], "application/json", json.dumps(status).encode(), extra)

    def _json(self, value):
        self._send(200, "application/json", json.dumps(value).encode())

    def _send(self, code, kind, body, extra=None):
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _selector(namespace, query):
    tests = [lambda p: namespace is None or p["metadata"]["namespace"] == namespace]
    for part in filter(None, query.get("fieldSelector", "").split(",")):
        equal = "!=" not in part
        key, value = part.split("!=" if not equal else "==" if "==" in part else "=", 1)
        if key not in FIELDS:
            raise Refused(400, "BadRequest", f"field label not supported: {key}")
        tests.append(lambda p, k=key, v=value, e=equal: (FIELDS[k](p) == v) == e)
    for part in filter(None, query.get("labelSelector", "").split(",")):
        key, _, value = part.partition("=")
        tests.append(lambda p, k=key, v=value.lstrip("="): p["metadata"].get("labels", {}).get(k) == v)
    return lambda pod: all(test(pod) for test in tests)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=8001)
    arguments.add_argument("--pods", help="file with a PodList in JSON")
    arguments.add_argument("--tls", help="directory with server.pem, server.key and ca.pem")
    given = arguments.parse_args()
    api = ApiServer(given.port, given.tls)
    if given.pods:
        with open(given.pods) as f:
            for item in json.load(f)["items"]:
                api.put(item)
    print(f"serving {len(api.store.pods)} pods on {api.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
