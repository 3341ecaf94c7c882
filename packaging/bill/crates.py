"""The crates of a build, as cargo resolves them for one target."""
import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Crate:
    """One package of Cargo.lock."""

    name: str
    version: str
    licence: str  # SPDX expression
    directory: Path
    checksum: str  # SHA-256 of its archive, as in Cargo.lock
    linked: bool  # its code is in the binary; otherwise it only took part in the build
    needs: tuple  # purls of what it depends on

    @property
    def purl(self):
        return f"pkg:cargo/{self.name}@{self.version.replace('+', '%2B')}"


def resolve(root, arch):
    """Our own package and the crates it is made of, sorted by name."""
    platform = f"{arch}-unknown-linux-musl" + ("eabihf" if arch == "armv7" else "")
    answer = json.loads(cargo(root, "metadata", "--format-version=1", f"--filter-platform={platform}"))
    lock = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    checksums = {(p["name"], p["version"]): p.get("checksum", "") for p in lock}
    packages = {p["id"]: p for p in answer["packages"]}
    nodes = {n["id"]: n for n in answer["resolve"]["nodes"]}
    own = answer["resolve"]["root"]
    linked = reach(own, nodes, packages, linked_only=True)
    # metadata has the features that any machine asks for; the tree has those of this one.
    tree = cargo(root, "tree", f"--target={platform}", "--edges=no-dev", "--prefix=none", "--no-dedupe", "--format={p}")
    built = {tuple(line.split()[:2]) for line in tree.splitlines()}
    used = {i for i in reach(own, nodes, packages, linked_only=False) if (packages[i]["name"], f"v{packages[i]['version']}") in built}

    def crate(package_id):
        p = packages[package_id]
        needs = {d["pkg"] for d in nodes[package_id]["deps"] if d["pkg"] in used and d["pkg"] != package_id}
        return Crate(
            name=p["name"],
            version=p["version"],
            licence=(p["license"] or "NOASSERTION").replace("/", " OR ").replace("  ", " "),
            directory=Path(p["manifest_path"]).parent,
            checksum=checksums[p["name"], p["version"]],
            linked=package_id in linked,
            needs=tuple(sorted(needs)),
        )

    crates = {i: crate(i) for i in used}
    purls = {i: c.purl for i, c in crates.items()}
    named = {i: Crate(**{**vars(c), "needs": tuple(sorted(purls[n] for n in c.needs))}) for i, c in crates.items()}
    others = sorted((c for i, c in named.items() if i != own), key=lambda c: (c.name, c.version))
    return named[own], others


def cargo(root, *arguments):
    """What cargo says, by the lock file."""
    done = subprocess.run(["cargo", arguments[0], "--locked", *arguments[1:]], cwd=root, stdout=subprocess.PIPE, text=True)
    if done.returncode:  # cargo has said why
        raise SystemExit("bill: cargo cannot tell the crates that are inside; without a network, `make dist` gives an archive that has them")
    return done.stdout


def reach(start, nodes, packages, linked_only):
    """What `start` depends on, without dependencies of tests; `linked_only` leaves out what only runs at build time."""
    kinds = (None,) if linked_only else (None, "build")
    seen, waiting = set(), [start]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for dependency in nodes[at]["deps"]:
            macro = any("proc-macro" in t["kind"] for t in packages[dependency["pkg"]]["targets"])
            if any(k["kind"] in kinds for k in dependency["dep_kinds"]) and not (linked_only and macro):
                waiting.append(dependency["pkg"])
    return seen
