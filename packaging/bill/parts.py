"""What is in the binary and is no crate: C and C++ inside crates, and what the toolchain links in.

Versions are read from the sources that were compiled, so that an update of a crate shows here by itself.
"""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
ZIG = Path(__file__).parents[1] / "zig.txt"
GRPC = "grpcio-sys", "grpc"
RING = "ring", ""
RUSTC = r"rustc version ([\d.]+)"
MUSL = "1.2.5"  # lib/libc/musl/src/internal/version.h of zig 0.17.0
DEPS = "bazel/grpc_deps.bzl"


@dataclass(frozen=True)
class Part:
    """One bundled library."""

    name: str
    version: str
    licence: str  # SPDX expression
    text: Path  # its licence
    purl: str
    inside: str  # the crate that carries it, or the toolchain


# name; crate and folder in it; file with the version and what to find in it; licence; its text; origin
BUNDLED = [
    ("grpc", GRPC, "CMakeLists.txt", r'PACKAGE_VERSION\s+"([\d.]+)"', "Apache-2.0", "LICENSE", "github/grpc/grpc@v{}"),
    ("abseil-cpp", GRPC, DEPS, r"abseil-cpp-([\d.]+)", "Apache-2.0", "third_party/abseil-cpp/LICENSE",
     "github/abseil/abseil-cpp@{}"),
    ("re2", GRPC, DEPS, r"re2-([\d-]+)", "BSD-3-Clause", "third_party/re2/LICENSE", "github/google/re2@{}"),
    ("c-ares", GRPC, "third_party/cares/cares/include/ares_version.h", r'ARES_VERSION_STR "([\d.]+)"', "MIT",
     "third_party/cares/cares/LICENSE.md", "github/c-ares/c-ares@{}"),
    ("upb", GRPC, DEPS, r"/upb-([0-9a-f]{40})|\bupb-([0-9a-f]{40})", "BSD-3-Clause", "third_party/upb/LICENSE",
     "github/protocolbuffers/upb@{}"),
    ("utf8_range", GRPC, None, None, "MIT", "third_party/utf8_range/LICENSE", "github/cyb70289/utf8_range"),
    ("xxhash", GRPC, "third_party/xxhash/xxhash.h",
     r"VERSION_MAJOR\s+(\d+)\n.*VERSION_MINOR\s+(\d+)\n.*VERSION_RELEASE\s+(\d+)", "BSD-2-Clause",
     "third_party/xxhash/LICENSE", "github/cyan4973/xxhash@v{}"),
    ("address_sorting", GRPC, None, None, "BSD-3-Clause", "third_party/address_sorting/LICENSE",
     "github/grpc/grpc#third_party/address_sorting"),
    # Generated code of google/api; the sources carry no licence of their own, it is the one of gRPC.
    ("googleapis", GRPC, DEPS, r"\bgoogleapis-([0-9a-f]{40})", "Apache-2.0", "LICENSE", "github/googleapis/googleapis@{}"),
    ("xds", GRPC, DEPS, r"\bxds-([0-9a-f]{40})", "Apache-2.0", "third_party/xds/LICENSE", "github/cncf/xds@{}"),
    ("zlib", ("libz-sys", "src/zlib"), "zlib.h", r'ZLIB_VERSION "([\d.]+)"', "Zlib", "LICENSE",
     "github/madler/zlib@v{}"),
    ("boringssl", RING, None, None, "Apache-2.0 AND ISC", "LICENSE-BoringSSL", "github/google/boringssl@{}"),
    ("fiat-crypto", RING, None, None, "Apache-2.0", "third_party/fiat/LICENSE", "github/mit-plv/fiat-crypto@{}"),
    ("once_cell", RING, None, None, "MIT OR Apache-2.0", "src/polyfill/once_cell/LICENSE-MIT", "github/matklad/once_cell@{}"),
]

# Licences that lie inside of linked crates and whose code is not compiled: crate, directory, what it is.
NOT_COMPILED = {
    ("grpcio-sys", "grpc/third_party/opencensus-proto"): "protocol files that no target of ours uses",
    ("grpcio-sys", "grpc/third_party/toolchains/rbe_ubuntu2004"): "gRPC's own CI",
    ("grpcio-sys", "grpc/third_party/upb/third_party/lunit"): "upb's own tests",
    ("grpcio-sys", "grpc/third_party/re2/re2/fuzzing/compiler-rt"): "re2's own fuzzers",
    ("libz-sys", "src/zlib-ng"): "another zlib, of a feature that is off",
    ("libz-sys", "src/zlib/contrib/dotzlib"): "zlib for C#",
    ("libz-sys", "src/zlib/contrib/minizip"): "zip files",
}

# What the compilers link in: name, how the .comment section of the binary names its version, licence, text, origin.
# musl and zig's own part of the C library are those of the zig that packaging/zig.txt names.
TOOLCHAIN = [
    ("rust-std", RUSTC, "MIT OR Apache-2.0", "rust.txt", "github/rust-lang/rust@{}"),
    ("llvm-runtimes", r"clang version ([\d.]+)", "Apache-2.0 WITH LLVM-exception", "llvm.txt",
     "github/llvm/llvm-project@llvmorg-{}"),
    ("musl", None, "MIT", "musl.txt", "generic/musl@{}"),
    ("zig", None, "MIT", "zig.txt", "generic/zig@{}"),
]

# The crates inside of Rust's standard library that leave code in the binary, compiler-builtins among them.
IN_RUST_STD = ["addr2line", "cfg-if", "compiler-builtins", "gimli", "hashbrown", "libc", "memchr", "miniz_oxide", "object",
               "rustc-demangle"]


def bundled(crates):
    """The parts that the linked crates carry."""
    directories = {c.name: c.directory for c in crates if c.linked}
    parts = []
    for name, (crate, folder), versioned, pattern, licence, text, origin in BUNDLED:
        if crate not in directories:
            continue
        base = directories[crate] / folder
        version = find(base / versioned, pattern) if versioned else directories[crate].name.split("+")[0]
        if not versioned:  # it has none of its own: the crate that carries it says which it is
            version = f"in-{version}"
        parts.append(Part(name, version, licence, base / text, f"pkg:{origin.format(version)}", crate))
    return parts


def toolchain(binary):
    """What the compilers of this binary linked into it."""
    comment = subprocess.run(["readelf", "-p", ".comment", binary], check=True, capture_output=True, text=True).stdout
    known = {"musl": MUSL, "zig": find(ZIG, r"ziglang==([\d.]+)")}
    parts = []
    for name, pattern, licence, text, origin in TOOLCHAIN:
        found = re.search(pattern, comment) if pattern else None
        version = found.group(1) if found else known.get(name, "")
        parts.append(Part(name, version, licence, TEXTS / text, f"pkg:{origin.format(version)}", "toolchain"))
    rust = re.search(RUSTC, comment)
    for name in IN_RUST_STD:
        version = f"in-rust-{rust.group(1)}" if rust else "in-rust"
        licence = "MIT AND Apache-2.0 WITH LLVM-exception" if name == "compiler-builtins" else "MIT OR Apache-2.0"
        parts.append(Part(name, version, licence, TEXTS / "rust.txt", f"pkg:cargo/{name}", "toolchain"))
    return parts


def find(file, pattern):
    """The version in a source file: the groups that matched, joined by dots."""
    found = re.search(pattern, file.read_text(errors="replace"))
    if not found:
        raise SystemExit(f"{file}: no version found; has the layout of the crate changed? See packaging/bill/parts.py")
    return ".".join(g for g in found.groups() if g)
