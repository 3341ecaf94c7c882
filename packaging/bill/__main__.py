"""What is inside a binary, for those who have to know.

  python3 packaging/bill sbom ARCH BINARY              CycloneDX JSON; its time is SOURCE_DATE_EPOCH
  python3 packaging/bill licences ARCH BINARY [--debian]
"""
import os
import sys
from pathlib import Path

import crates
import licences
import parts
import sbom

ROOT = Path(__file__).resolve().parents[2]


def main(arguments):
    if len(arguments) < 3 or arguments[0] not in ("sbom", "licences"):
        sys.exit(__doc__)
    what, arch, binary = arguments[0], arguments[1], Path(arguments[2])
    own, used = crates.resolve(ROOT, arch)
    inside = parts.bundled(used) + parts.toolchain(binary)
    if what == "sbom":
        epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
        sys.stdout.write(sbom.document(own, used, inside, arch, binary, epoch))
        return
    if unlisted := licences.unlisted(used):
        sys.exit("licences of bundled code that packaging/bill/parts.py does not name:\n" + "\n".join(unlisted))
    sys.stdout.write(licences.text(ROOT / "LICENSE", used, inside, "--debian" in arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
