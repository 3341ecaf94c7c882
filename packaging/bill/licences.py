"""One text with the licences of everything in the binary: each licence once, with the names of what is under it."""
import re
from pathlib import Path

import parts as bundled_parts

NAMES = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
LICENCE = re.compile(r"(un)?(licen[cs]e|copying)([-._].*)?$", re.IGNORECASE)
COMMON = "/usr/share/common-licenses/Apache-2.0"
# Where a crate offers a choice, the first of these that it offers is taken.
PREFERRED = ["MIT", "ISC", "BSD-3-Clause", "0BSD", "Apache-2.0"]


def text(own_licence, crates, parts, debian):
    """The whole text. For Debian, the Apache licence is named by its place on every Debian system."""
    under = {}  # licence text: names of what is under it
    for crate in crates:
        if crate.linked:
            for licence in crate_texts(crate):
                under.setdefault(licence, []).append(f"{crate.name} {crate.version}")
    for part in parts:
        under.setdefault(tidy(part.text.read_text()), []).append(f"{part.name} {part.version}".strip())
    out = [intro(debian, own_licence)]
    for licence, names in sorted(under.items(), key=lambda item: item[1]):
        if debian and "Apache License" in licence:
            licence = without_apache(licence)
        out += ["-" * 80, wrap(names), "", licence, ""]
    return "\n".join(out)


def intro(debian, own_licence):
    own = f"The full text is in {COMMON}." if debian else own_licence.read_text().strip()
    return (
        "nodepods is under the Apache License, Version 2.0. Copyright: the nodepods authors.\n"
        f"{own}\n\nIts binary is statically linked. What it was linked from, and under which licences:\n"
    )


def crate_texts(crate):
    """The texts of the licences that were chosen, all of them where they add up (AND)."""
    files = sorted(f for f in crate.directory.iterdir() if f.is_file() and NAMES.search(f.name))
    if not files and crate.name == "grpcio-sys":  # its licence is that of grpcio, in the same repository
        files = [crate.directory / "grpc/LICENSE"]
    if " AND " not in crate.licence:
        offered = re.split(r"\s+OR\s+", crate.licence.strip("()"))
        choice = next((p for p in PREFERRED if p in offered), offered[0])
        chosen = [f for f in files if choice.split("-")[0].lower() in f.name.lower()]
        files = chosen or files
    if not files:
        raise SystemExit(f"{crate.name} {crate.version} ({crate.licence}) carries no licence text in {crate.directory}")
    return [tidy(f.read_text(errors="replace")) for f in files]


def tidy(licence):
    """Line ends and blank ends of lines are no difference."""
    return "\n".join(line.rstrip() for line in licence.replace("\r", "").strip().split("\n"))


def without_apache(licence):
    """The text with the Apache licence, and the appendix on how to apply it, replaced by where it is."""
    start = licence.find("Apache License")
    end = licence.find("END OF TERMS AND CONDITIONS")
    if end < 0:
        return licence
    after = licence[end:].partition("\n")[2]
    appendix = after.find("limitations under the License.")
    if "APPENDIX" in after and appendix >= 0:
        after = after[appendix:].partition("\n")[2]
    before = licence[:start].rstrip("= \n")
    return f"{before}\nThe Apache License, Version 2.0: {COMMON}\n{after}".strip()


def wrap(names, width=100):
    """Names as lines of a readable length."""
    lines = [""]
    for name in names:
        sep = ", " if lines[-1] else ""
        if len(lines[-1]) + len(sep) + len(name) > width:
            lines[-1] += ","
            lines.append("")
            sep = ""
        lines[-1] += sep + name
    return "\n".join(lines)


def unlisted(crates):
    """Licence files below the directories of linked crates that neither a part names nor a reason excuses."""
    left = []
    for crate in (c for c in crates if c.linked):
        named = {crate.directory / p[1][1] / p[5] for p in bundled_parts.BUNDLED if p[1][0] == crate.name}
        directories = {f.parent for f in named}  # a choice of licences lies side by side
        directories |= {crate.directory / d for c, d in bundled_parts.NOT_COMPILED if c == crate.name}
        found = [f for f in crate.directory.rglob("*") if f.is_file() and LICENCE.match(f.name)]
        left += [str(f) for f in found if f.parent != crate.directory and f.parent not in directories]
    return sorted(left)
