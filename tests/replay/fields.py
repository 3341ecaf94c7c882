"""A pod as flat fields: `spec.containers[app].image` to its value."""
import functools

from node.contracts import POOL, message

_OMIT = POOL.FindExtensionByName("nodepods.json.omit")

# What names an element of these lists; of all others the number does.
_KEYS = ("mountPath", "name", "type")
_NAMED = {
    "containers",
    "initContainers",
    "ephemeralContainers",
    "conditions",
    "volumes",
    "volumeMounts",
    "containerStatuses",
    "initContainerStatuses",
    "ephemeralContainerStatuses",
}


@functools.cache
def _keeps_presence(field):
    """True where Go has a pointer: a present zero is not the same as nothing."""
    options = message("google.protobuf.FieldOptions").FromString(field.GetOptions().SerializeToString())
    return _OMIT.enum_type.values_by_number[options.Extensions[_OMIT]].name in ("POINTER", "ALWAYS_POINTER")


def flat(pod):
    """All fields that say something, by path. Zeros of Go's value fields, which it writes all the same, do not."""
    out = {}
    _walk(pod, "", out)
    return out


def _walk(message, path, out):
    for field, value in message.ListFields():
        at = f"{path}.{field.name}" if path else field.name
        if field.message_type and field.message_type.GetOptions().map_entry:
            for key in value:
                _leaf(value[key], f"{at}[{key}]", True, out)
        elif field.is_repeated:
            names = [_name(field.name, element, i) for i, element in enumerate(value)]
            for name, element in zip(names, value):
                _leaf(element, f"{at}[{name}]", True, out)
            if field.name in _NAMED:
                out[f"{at}.order"] = names
        else:
            _leaf(value, at, _keeps_presence(field), out)


def _name(field, element, i):
    if field in _NAMED:
        for key in _KEYS:
            if key in element.DESCRIPTOR.fields_by_name and getattr(element, key):
                return getattr(element, key)
    return i


def _leaf(value, path, keep, out):
    if not hasattr(value, "ListFields"):
        if value or keep:
            out[path] = value
        return
    before = len(out)
    if value.DESCRIPTOR.name == "Time" and value.seconds:
        out[path] = (value.seconds, value.nanos)
    else:
        _walk(value, path, out)
    if keep and len(out) == before:
        out[path] = {}
