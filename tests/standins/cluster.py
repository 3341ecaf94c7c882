"""What goes with the stand-in of an API server: pods, certificates, kubeconfigs."""
import os

from node.daemon import NODE

TLS = f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/tls"
TOKEN = "a-token-of-this-test"


def pod(name, node=NODE, image="i:1", **meta):
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", **meta},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": image, "resources": {
            "limits": {"cpu": "500m", "memory": "64Mi"}}}]},
        "status": {"phase": "Running", "startTime": "2026-01-02T03:04:05Z"},
    }


def kubeconfig(base, api, user, server=None):
    """A kubeconfig for the API server, or for `server` in front of it."""
    path = f"{base}/kubeconfig"
    with open(path, "w") as f:
        f.write(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
            f"clusters: [{{name: k, cluster: {{server: '{server or api.url}', certificate-authority: {TLS}/ca.pem}}}}]\n"
            f"users: [{{name: u, user: {{{user}}}}}]\n"
        )
    return path


CERTIFICATE = f"client-certificate: {TLS}/client.pem, client-key: {TLS}/client.key"
