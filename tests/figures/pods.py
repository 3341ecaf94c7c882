"""Static pod manifests of the size and shape that real nodes have."""
import json
import random

_WORDS = ["cart", "ledger", "search", "proxy", "metrics", "billing", "cache", "mail", "auth", "image", "orders", "audit"]


def _probe(path, seconds):
    return {"httpGet": {"path": path, "port": "http"}, "periodSeconds": seconds, "timeoutSeconds": 3}


def _container(choose, name):
    env = [{"name": f"SETTING_{i}", "value": f"https://{choose.choice(_WORDS)}.internal:8443/v{i}"} for i in range(choose.randrange(4, 14))]
    env.append({"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    cpu, memory = choose.randrange(1, 9) * 50, choose.randrange(1, 9) * 64
    return {
        "name": name,
        "image": f"registry.example.com/platform/{name}:v{choose.randrange(9)}.{choose.randrange(30)}",
        "args": [f"--config=/etc/{name}/config.yaml", "--listen=:8080", "--log-level=info"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": env,
        "resources": {
            "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"},
            "limits": {"cpu": f"{2 * cpu}m", "memory": f"{2 * memory}Mi"},
        },
        "livenessProbe": _probe("/healthz", 10),
        "readinessProbe": _probe("/readyz", 5),
        "volumeMounts": [
            {"name": "config", "mountPath": f"/etc/{name}", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
        "securityContext": {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
    }


def manifest(number):
    """One pod as JSON text; the same number gives the same pod."""
    choose = random.Random(number)
    app = choose.choice(_WORDS)
    sidecars = choose.randrange(3)
    labels = {f"app.kubernetes.io/{k}": app for k in ("name", "component", "part-of", "instance")}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-{number}",
            "namespace": choose.choice(["shop", "platform", "kube-system"]),
            "labels": labels,
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "8080",
                "example.com/checksum": f"{choose.getrandbits(256):064x}",
                "example.com/note": "x" * choose.randrange(200, 1600),
            },
        },
        "spec": {
            "containers": [_container(choose, app)] + [_container(choose, f"sidecar-{i}") for i in range(sidecars)],
            "volumes": [
                {"name": "config", "hostPath": {"path": f"/etc/{app}", "type": "DirectoryOrCreate"}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
            "terminationGracePeriodSeconds": 30,
        },
    }
    return json.dumps(pod)
