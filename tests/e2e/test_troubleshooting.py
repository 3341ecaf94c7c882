"""docs/troubleshooting.md: every transcript in it is what the command prints today, over a recording of a real kubelet's
node at that moment. `UPDATE=1` writes the page anew.

A block of the page that follows `<!-- recording CASE/SNAPSHOT -->` begins each command with `$ nodepods `.
"""
import os
import re
import shlex
import subprocess
import time

import pytest

from node.contracts import ROOT
from node.daemon import binary
from replay.recording import Runtime, cases

PAGE = f"{ROOT}/docs/troubleshooting.md"
MANIFESTS = "/etc/kubernetes/manifests"
BLOCK = re.compile(r"<!-- recording (\S+) -->\n\n```console\n(.*?)```\n", re.S)


def page():
    with open(PAGE) as f:
        return f.read()


def blocks():
    return BLOCK.findall(page())


def snapshot(name):
    case, moment = name.split("/")
    return next(s for s in cases([f"{ROOT}/tests/recordings/{case}"]) if s.name.endswith(moment))


def settled(text):
    """Without what differs from run to run and from machine to machine: times, sizes, line breaks."""
    text = text.replace("just now", "0s ago")
    text = re.sub(r"\b\d+[smhdy](\d+[smhd])?\b", "TIME", text)
    text = re.sub(r"this machine has [^:]*", "this machine has MUCH", text)
    return " ".join(text.split())


class Node:
    """A daemon over a recording, as if the recording were of this moment."""

    def __init__(self, name, make_daemon, base):
        recorded = snapshot(name)
        self._runtime = Runtime(recorded, f"{base}/cri.sock", now_ns=time.time_ns())
        self._daemon = make_daemon(endpoint=f"unix://{base}/cri.sock", node=recorded.node)
        recorded.lay_manifests(self._daemon.manifests)
        self._daemon.start()

    def close(self):
        self._daemon.close()
        self._runtime.stop()

    def run(self, command):
        """What a person would see."""
        words = [w.replace(MANIFESTS, self._daemon.manifests) for w in shlex.split(command)]
        environment = {**os.environ, "NODEPODS_SOCKET": self._daemon.socket}
        done = subprocess.run([binary(), *words], capture_output=True, text=True, env=environment)
        said = (done.stdout + done.stderr).replace(self._daemon.manifests, MANIFESTS)
        # This machine's own troubles belong to another page.
        return re.sub(r"The node:\n.*?(\n\n|\Z)", "", said, flags=re.S).rstrip() + "\n"


def transcript(name, text, make_daemon, base):
    """The block with what its commands print now."""
    node = Node(name, make_daemon, base)
    try:
        out = ""
        for line in text.splitlines():
            if line.startswith("$ nodepods"):
                out += f"{line}\n{node.run(line.removeprefix('$ nodepods'))}"
        return out
    finally:
        node.close()


@pytest.mark.parametrize("name, text", blocks(), ids=lambda value: value if "\n" not in value else "")
def test_a_transcript_is_what_is_printed(name, text, make_daemon, base):
    now = transcript(name, text, make_daemon, base)
    if os.environ.get("UPDATE"):
        with open(PAGE) as f:
            written = f.read()
        with open(PAGE, "w") as f:
            f.write(written.replace(text, now))
        return
    assert settled(now) == settled(text), f"UPDATE=1 writes the page anew; now it prints:\n{now}"


def test_the_screen_that_the_page_begins_with():
    """`nodepods` alone leads to `nodepods why`, which is the first of the two commands."""
    screen = subprocess.run([binary()], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^  why ", screen, re.M)


def test_every_situation_leads_to_its_reason_in_two_commands():
    found = blocks()
    assert len({name.split("/")[0] for name, _ in found}) >= 12
    for name, text in found:
        commands = [line for line in text.splitlines() if line.startswith("$ ")]
        assert 1 <= len(commands) <= 2, name
