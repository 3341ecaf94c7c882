"""What is inside: the binary's protections, the bill of materials, licences, checksums, the same bytes twice."""
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib

import pytest

from conftest import ARCH, BINARY, ROOT, VERSION, only, pack


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, check=True, **{"text": True, **options}).stdout


def bill(dist):
    return json.loads(only(dist, f"nodepods-{VERSION}-linux-{ARCH}.cdx.json").read_text())


def test_the_binary_is_hardened():
    print(run(ROOT / "packaging/build/hardening", BINARY))


def test_everything_is_small(dist):
    assert BINARY.stat().st_size <= 8_000_000
    for package in (only(dist, "*.deb"), only(dist, f"*.{ARCH}.rpm")):
        assert package.stat().st_size <= 3_500_000, package


def test_all_packages_hold_the_same_files(dist, tmp_path):
    deb = run("dpkg-deb", "-c", only(dist, "*.deb"))
    deb = {line.split()[5].lstrip(".") for line in deb.splitlines() if not line.split()[5].endswith("/")}
    rpm = {f for f in run("rpm", "-qlp", only(dist, f"*.{ARCH}.rpm")).split()}
    with tarfile.open(only(dist, "*.tar.gz")) as t:
        tar = {m.name.split("/root", 1)[1] for m in t.getmembers() if m.isfile() and "/root/" in m.name}
    common = {f.removesuffix(".gz") for f in deb} & {f.removesuffix(".gz") for f in rpm} & {f.removesuffix(".gz") for f in tar}
    for name in ("/usr/bin/nodepods", "/etc/nodepods/config.yaml", "/usr/lib/systemd/system/nodepods.service",
                 "/usr/lib/systemd/system/nodepods.socket", "/usr/lib/tmpfiles.d/nodepods.conf",
                 "/usr/lib/systemd/system-preset/80-nodepods.preset", "/usr/share/doc/nodepods/sbom.cdx.json",
                 "/usr/share/doc/nodepods/changelog", "/usr/share/doc/nodepods/README.md",
                 "/usr/share/doc/nodepods/operators.md", "/usr/share/doc/nodepods/distributions/k3s.md"):
        assert name in common, name
    assert "/usr/share/doc/nodepods/copyright" in deb
    assert "/usr/share/licenses/nodepods/LICENSES.txt" in rpm


def test_the_bill_names_every_crate_of_the_binary_and_the_c_and_cpp(dist):
    components = {(c["name"], c.get("version", "")): c for c in bill(dist)["components"]}
    names = {name for name, _ in components}
    assert names >= {"grpc", "abseil-cpp", "re2", "c-ares", "zlib", "upb", "utf8_range", "xxhash", "address_sorting", "musl",
                     "llvm-runtimes", "rust-std", "zig", "boringssl", "fiat-crypto", "gimli"}
    tree = run("cargo", "tree", "--locked", "--offline", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format",
               "{p}", "--target", f"{ARCH}-unknown-linux-musl", cwd=ROOT)
    linked = {tuple(line.replace(" v", " ").split()[:2]) for line in tree.splitlines() if line and not line.startswith("nodepods ")}
    assert len(linked) > 30
    for crate in linked:
        assert components[crate]["scope"] == "required", crate
    locked = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    for key, c in components.items():
        assert c["licenses"][0]["expression"] and c["purl"].startswith("pkg:"), key
        if "@" in c["purl"] and c["purl"].startswith("pkg:cargo/"):  # those without belong to rust-std
            assert c["hashes"][0]["content"] == locked[key], key
    references = {c["bom-ref"] for c in components.values()} | {bill(dist)["metadata"]["component"]["bom-ref"]}
    for d in bill(dist)["dependencies"]:
        assert {d["ref"], *d.get("dependsOn", [])} <= references, d


@pytest.mark.parametrize("arch, made_by_bindgen", [("x86_64", False), ("aarch64", False), ("armv7", True)])
def test_the_bill_names_what_that_machine_is_built_with(arch, made_by_bindgen):
    made = json.loads(run(sys.executable, ROOT / "packaging/bill", "sbom", arch, BINARY, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}))
    scopes = {c["name"]: c.get("scope") for c in made["components"]}
    assert scopes["grpcio-sys"] == "required"
    assert scopes.get("bindgen") == ("excluded" if made_by_bindgen else None)


def test_the_bill_names_every_crate_that_left_a_symbol():
    """Those inside of Rust's standard library are in no Cargo.lock."""
    symbols = BINARY.with_name(f"{BINARY.name}.symbols")
    if not symbols.exists():
        pytest.skip("a binary without its symbols beside it")
    found = set()
    for length, rest in re.findall(r"Cs[0-9A-Za-z]*_(\d+)_?(\w+)", run("nm", symbols)):  # Rust's mangling, version 0
        found.add(rest[: int(length)])
    made = json.loads(run(sys.executable, ROOT / "packaging/bill", "sbom", ARCH, BINARY, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}))
    named = {c["name"].replace("-", "_") for c in made["components"]}
    named |= {"nodepods", "webpki"}  # rustls-webpki calls itself so
    named |= {"alloc", "core", "std", "std_detect", "__rustc"}  # rust-std
    assert found > {"gimli", "ring", "grpcio"} and found <= named, found - named


def test_every_part_has_its_licence_in_the_package(dist, tmp_path):
    run("dpkg-deb", "-x", only(dist, "*.deb"), tmp_path)
    copyright = (tmp_path / "usr/share/doc/nodepods/copyright").read_text()
    for c in bill(dist)["components"]:
        if c["scope"] == "required":
            assert re.search(rf"\b{re.escape(c['name'])}\b.*", copyright), c["name"]
    for words in ("WIDE Project", "Rich Felker", "Jean-loup Gailly", "Massachusetts Institute of Technology", "LLVM Exceptions",
                  "Zig contributors", "The gimli Developers", "fiat-crypto authors"):
        assert words in copyright, words


def test_the_checksums_are_right(dist):
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    assert len(lines) >= 4
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest, name


def test_packaging_twice_gives_the_same_bytes(dist, tmp_path):
    """Another directory, another day, another mood of the environment."""
    epoch = run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    mood = {**os.environ, "OUT": str(tmp_path), "SOURCE_DATE_EPOCH": epoch, "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}
    run("sh", "-c", f"umask 077; exec {ROOT}/packaging/build/packages {ARCH}", env=mood)
    twice = set((tmp_path / "SHA256SUMS").read_text().splitlines())
    once = set((dist / "SHA256SUMS").read_text().splitlines())  # of everything that was made there, for others too
    assert len(twice) == 4 and twice <= once, twice - once


def test_everything_carries_the_time_that_is_asked_for(dist, tmp_path):
    """One that is still to come too, as where the clock of who packs it is slow."""
    epoch = 2_000_000_000
    for kind in ("deb", "rpm", "tarball"):
        pack(kind, VERSION, tmp_path, epoch)
    deb = run("dpkg-deb", "--fsys-tarfile", only(tmp_path, "*.deb"), text=False)
    packed = run("ar", "p", only(tmp_path, "*.deb"), "control.tar.xz", text=False)
    for archive in (io.BytesIO(deb), io.BytesIO(packed), only(tmp_path, "*.tar.gz").open("rb")):
        with archive, tarfile.open(fileobj=archive) as t:
            assert {m.mtime for m in t.getmembers()} == {epoch}
    assert set(run("rpm", "-qp", "--qf", "[%{FILEMTIMES}\\n]", only(tmp_path, "*.rpm")).split()) == {str(epoch)}


def test_signing_with_a_key_of_ones_own(dist, tmp_path):
    key = tmp_path / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    (tmp_path / "SHA256SUMS").write_bytes((dist / "SHA256SUMS").read_bytes())
    run(ROOT / "packaging/build/sign", key, tmp_path / "SHA256SUMS")
    (tmp_path / "signers").write_text("us namespaces=\"nodepods\" " + (tmp_path / "key.pub").read_text())
    verify = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "us", "-n", "nodepods", "-s",
              tmp_path / "SHA256SUMS.sig"]
    with open(tmp_path / "SHA256SUMS") as sums:
        assert "Good" in run(*verify, stdin=sums)
