"""Container images without a registry: OCI archives put together by hand from Debian's static busybox."""
import gzip
import hashlib
import io
import json
import tarfile

PAUSE = "registry.k8s.io/pause:3.9"
BUSYBOX = "test.local/busybox:1"
_APPLETS = ["sh", "sleep", "cat", "echo", "true", "false", "kill", "date"]


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(files, links=()):
    """Files by name and content, links by name and target, as a tar archive. All may be run."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as out:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            out.addfile(entry, io.BytesIO(data))
        for name, target in links:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
            out.addfile(entry)
    return raw.getvalue()


def _json(value):
    return json.dumps(value, sort_keys=True).encode()


def archive(name, files, config, architecture):
    """An OCI archive with one image, and the name by digest that a pull would have given it."""
    packed = gzip.compress(files, mtime=0)
    image = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [_digest(files)]},
        }
    )
    oci = "application/vnd.oci.image."
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": oci + "manifest.v1+json",
            "config": {"mediaType": oci + "config.v1+json", "digest": _digest(image), "size": len(image)},
            "layers": [{"mediaType": oci + "layer.v1.tar+gzip", "digest": _digest(packed), "size": len(packed)}],
        }
    )
    entry = {
        "mediaType": oci + "manifest.v1+json",
        "digest": _digest(manifest),
        "size": len(manifest),
        "annotations": {"io.containerd.image.name": name},
    }
    files = [("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))]
    files.append(("index.json", _json({"schemaVersion": 2, "manifests": [entry]})))
    files += [("blobs/sha256/" + _digest(b)[7:], b) for b in (image, manifest, packed)]
    return layer(files), f"{name.rsplit(':', 1)[0]}@{_digest(manifest)}"


def all_images(architecture):
    """(name, name by digest, archive) of what the tests run. The sandbox's pause is a busybox that sleeps."""
    with open("/bin/busybox", "rb") as f:
        busybox = f.read()
    busyboxes = layer([("bin/busybox", busybox)], [(f"bin/{a}", "busybox") for a in _APPLETS])
    for name, command in ((PAUSE, ["/bin/busybox", "sleep", "2147483647"]), (BUSYBOX, ["/bin/sh"])):
        data, digest = archive(name, busyboxes, {"Cmd": command, "Env": ["PATH=/bin"], "WorkingDir": "/"}, architecture)
        yield name, digest, data
