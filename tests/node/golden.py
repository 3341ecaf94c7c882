"""What a command prints, kept as a file: `UPDATE_GOLDEN=1` writes it anew."""
import difflib
import os
import re

_DIR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e", "golden")
# What differs from run to run: cgroups, ids of containers and images, UIDs, addresses, times, process ids.
_VARIES = [
    (r"\bcgroup /\S+", "cgroup PATH"),
    (r"\b[0-9a-f]{64}\b", "ID"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
    (r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", "UID"),
    (r"\b10\.213\.\d+\.\d+\b", "ADDRESS"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\bprocess \d+\b", "process PID"),
]


def masked(text):
    """Without what a real runtime gives anew to each pod."""
    for pattern, word in _VARIES:
        text = re.sub(pattern, word, text)
    return text


def check(name, text):
    """The text must be that of the file `name`, apart from what differs from run to run."""
    same(name, masked(text))


def same(name, text):
    """The text must be that of the file `name`."""
    path = os.path.join(_DIR, name)
    if os.environ.get("UPDATE_GOLDEN"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
    with open(path) as f:
        want = f.read()
    changes = difflib.unified_diff(want.splitlines(), text.splitlines(), "kept", "printed", lineterm="")
    assert text == want, f"if {name} is meant to change, run again with UPDATE_GOLDEN=1\n" + "\n".join(changes)
