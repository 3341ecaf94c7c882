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
    return json.dumps(pod(number))


def of_api(number, node):
    """The same pod as the API server has it: scheduled, running, with the status that its kubelet reported."""
    made = pod(number)
    meta, spec = made["metadata"], made["spec"]
    since = "2026-01-02T03:04:05Z"
    meta["uid"] = f"00000000-0000-4000-8000-{number:012}"
    meta["creationTimestamp"] = since
    meta["ownerReferences"] = [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": meta["name"], "uid": meta["uid"], "controller": True}
    ]
    spec.update(nodeName=node, serviceAccountName="default", schedulerName="default-scheduler", restartPolicy="Always")
    conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
    made["status"] = {
        "phase": "Running",
        "conditions": [{"type": c, "status": "True", "lastTransitionTime": since} for c in conditions],
        "hostIP": "10.0.0.7",
        "podIP": f"10.42.0.{number}",
        "podIPs": [{"ip": f"10.42.0.{number}"}],
        "startTime": since,
        "qosClass": "Burstable",
        "containerStatuses": [
            {
                "name": c["name"],
                "state": {"running": {"startedAt": since}},
                "ready": True,
                "started": True,
                "restartCount": 0,
                "image": c["image"],
                "imageID": f"registry.example.com/platform@sha256:{number:064x}",
                "containerID": f"containerd://{number:064x}",
            }
            for c in spec["containers"]
        ],
    }
    return made


def pod(number):
    """One pod as a value; the same number gives the same pod."""
    choose = random.Random(number)
    app = choose.choice(_WORDS)
    sidecars = choose.randrange(3)
    labels = {f"app.kubernetes.io/{k}": app for k in ("name", "component", "part-of", "instance")}
    return {
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
