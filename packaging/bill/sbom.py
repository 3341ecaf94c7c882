"""The bill of materials in CycloneDX 1.5 JSON: crates, bundled C and C++, and what the toolchain linked in."""
import hashlib
import json
import uuid
from datetime import datetime, timezone


def document(own, crates, parts, arch, binary, epoch):
    """The document as text; the same for the same inputs."""
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    components = [crate_component(c) for c in crates] + [part_component(p) for p in parts]
    needs = [{"ref": own.purl, "dependsOn": sorted([*own.needs, *(p.purl for p in parts if p.inside == "toolchain")])}]
    for crate in crates:
        carried = [p.purl for p in parts if p.inside == crate.name]
        needs.append({"ref": crate.purl, "dependsOn": sorted([*crate.needs, *carried])})
    needs += [{"ref": p.purl} for p in parts]
    body = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": own.purl,
                "name": own.name,
                "version": own.version,
                "licenses": [{"expression": own.licence}],
                "purl": own.purl,
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "properties": [{"name": "nodepods:architecture", "value": arch}],
            },
        },
        "components": components,
        "dependencies": needs,
    }
    return json.dumps(body, indent=1) + "\n"


def crate_component(crate):
    component = {
        "type": "library",
        "bom-ref": crate.purl,
        "name": crate.name,
        "version": crate.version,
        "scope": "required" if crate.linked else "excluded",  # excluded: took part in the build, is not in the binary
        "licenses": [{"expression": crate.licence}],
        "purl": crate.purl,
    }
    if crate.checksum:
        component["hashes"] = [{"alg": "SHA-256", "content": crate.checksum}]
    return component


def part_component(part):
    component = {"type": "library", "bom-ref": part.purl, "name": part.name}
    if part.version:
        component["version"] = part.version
    component |= {"scope": "required", "licenses": [{"expression": part.licence}], "purl": part.purl}
    component["properties"] = [{"name": "nodepods:inside", "value": part.inside}]
    return component
