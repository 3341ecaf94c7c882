#!/usr/bin/env python3
"""Recorded nodes again: does the daemon say what a real kubelet said?

    NODEPODS_BIN=target/static/nodepods-x86_64 replay.py [--excused] tests/recordings/CASE...

Lays out a snapshot's manifests, serves the runtime's recorded answers, starts the daemon over both, and compares the
first list it gives with the kubelet's, field by field, and its table with the one that an API server would print of the
kubelet's pods, cell by cell. A difference is different, missing or extra; excused.py and
docs/differences.md name those that cannot be otherwise. Exit 1 if there is any other.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from excused import RULES, excuse  # noqa: E402
from fields import flat  # noqa: E402
from node import printer  # noqa: E402
from node.contracts import ROOT  # noqa: E402
from node.daemon import Daemon  # noqa: E402
from recording import Runtime, all_recordings, by_name, cases  # noqa: E402

Difference = collections.namedtuple("Difference", "kind path kubelet ours")


# By which rules the cells of a column may differ.
CELLS = {
    "READY": {"probes-and-hooks"},
    "STATUS": {"back-off", "decisions-of-the-kubelet"},
    "IP": {"the-address-of-a-stopped-pod"},
}


def undocumented():
    """Rules without a heading in docs/differences.md."""
    with open(f"{ROOT}/docs/differences.md") as f:
        headings = {line.strip("# \n").lower().replace("'", "").replace(" ", "-") for line in f if line.startswith("#")}
    return [rule for rule in RULES if rule not in headings]


def listed(snapshot):
    """What the daemon lists over this snapshot, and the rows of its table."""
    with tempfile.TemporaryDirectory(prefix="npr-", dir="/var/tmp") as base:
        runtime = Runtime(snapshot, f"{base}/cri.sock")
        http = f"{base}/h.sock"
        daemon = Daemon(base, endpoint=f"unix://{base}/cri.sock", node=snapshot.node, arguments=["--http-socket", http])
        snapshot.lay_manifests(daemon.manifests)
        try:
            daemon.spawn()
            return by_name(daemon.wait_ready()), table(http)
        finally:
            daemon.close()
            runtime.stop()


def table(http):
    """The cells of the pods, as kubectl is given them."""
    accept = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io"
    get = ["curl", "-sS", "--unix-socket", http, "-H", accept, "http://node/api/v1/pods"]
    rows = json.loads(subprocess.run(get, check=True, capture_output=True).stdout)["rows"]
    return {(r["object"]["metadata"]["namespace"], r["cells"][0]): r["cells"] for r in rows}


def compare_cells(key, cells, snapshot, excused):
    """The daemon's cells against those that an API server would show of the kubelet's pod: how many are the same and how
    many excused, as a counter, and the differences. A cell is excused by what excuses the fields behind it."""
    count, differences = collections.Counter(), []
    theirs = printer.row(snapshot.printed[key], int(time.time()))
    for column, kubelet, ours in zip(printer.COLUMNS, theirs, cells, strict=True):
        # The kubelet's own list has no creationTimestamp, and how long ago a restart was runs on.
        if column == "AGE":
            continue
        if kubelet.split(" ")[0] == ours.split(" ")[0]:
            count["same"] += 1
        elif excused.keys() & CELLS.get(column, set()):
            count["excused"] += 1
        else:
            differences.append(Difference("different", f"{key[1]}: column {column}", kubelet, ours))
    return count, differences


def compare(kubelet, ours, snapshot):
    """How many fields are the same, the differences, and the excused ones by rule."""
    same, differences, excused = 0, [], collections.Counter()
    theirs, mine = flat(kubelet), flat(ours)
    for path in sorted(theirs.keys() | mine.keys()):
        values = theirs.get(path), mine.get(path)
        if path not in theirs and "nodepods.io/" in path:
            continue
        if values[0] == values[1]:
            same += 1
        elif rule := excuse(path, values, kubelet, ours, snapshot):
            excused[rule] += 1
        else:
            kind = "extra" if path not in theirs else "missing" if path not in mine else "different"
            differences.append(Difference(kind, path, *values))
    return same, differences, excused


def replay(snapshot):
    same, differences, excused, of_cells = 0, [], collections.Counter(), collections.Counter()
    got, cells = listed(snapshot)
    for key, pod in snapshot.pods.items():
        if key not in got:
            differences.append(Difference("missing", "/".join(key), "the pod", None))
            continue
        more = compare(pod, got[key], snapshot)
        same, excused = same + more[0], excused + more[2]
        differences += [d._replace(path=f"{key[1]}: {d.path}") for d in more[1]]
        cell = compare_cells(key, cells[key], snapshot, more[2])
        of_cells, differences = of_cells + cell[0], differences + cell[1]
    for key, pod in got.items():
        # A removed pod whose containers still stop may be shown, as long as it says that it is going.
        if key not in snapshot.pods and not pod.metadata.HasField("deletionTimestamp"):
            differences.append(Difference("extra", "/".join(key), None, "the pod"))
    return same, differences, excused, of_cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=all_recordings(ROOT))
    parser.add_argument("--excused", action="store_true", help="count the excused fields of each snapshot")
    options = parser.parse_args()
    if missing := undocumented():
        sys.exit(f"docs/differences.md has no heading for {', '.join(missing)}")

    total, cells, passed, failed = collections.Counter(), collections.Counter(), 0, 0
    for snapshot in cases(options.cases):
        try:
            same, differences, excused, of_cells = replay(snapshot)
        except AssertionError as e:
            same, differences, excused, of_cells = 0, [Difference("missing", "every pod", "a list", str(e))], {}, {}
        total["same"] += same
        total["excused"] += sum(excused.values())
        cells.update(of_cells)
        total.update(d.kind for d in differences)
        passed, failed = passed + (not differences), failed + bool(differences)
        print(f"{snapshot.name}: {same} same, {len(differences)} not, {sum(excused.values())} excused")
        for d in differences:
            print(f"    {d.kind:9} {d.path}: kubelet {d.kubelet!r}, nodepods {d.ours!r}")
        if options.excused:
            for rule, n in sorted(excused.items()):
                print(f"    excused   {rule}: {n}")
    bad = sum(total[k] for k in ("different", "missing", "extra"))
    print(f"fields: {total['same']} same, {total['different']} different, {total['missing']} missing, {total['extra']} extra, {total['excused']} excused")
    print(f"cells of tables: {cells['same']} same, {cells['excused']} excused")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if bad or not passed else 0)


if __name__ == "__main__":
    main()
