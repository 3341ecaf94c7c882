"""A pod as flat fields: `spec.containers[app].image` to its value."""

# What identifies an element of a list, in the order in which it is looked for. Elements without any are numbered.
_KEYS = ("name", "type", "mountPath", "containerPort", "key", "ip")
_UNORDERED = ("containers", "initContainers", "ephemeralContainers", "conditions", "volumes", "env", "volumeMounts",
              "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def flat(message):
    """All fields that are set to something other than their zero, by path."""
    out = {}
    _walk(message, "", out)
    return out


def _walk(message, path, out):
    for field, value in message.ListFields():
        at = f"{path}.{field.name}" if path else field.name
        if field.message_type and field.message_type.GetOptions().map_entry:
            for key in value:
                _leaf(value[key], f"{at}[{key}]", out)
        elif field.is_repeated:
            for i, element in enumerate(value):
                _leaf(element, f"{at}[{_name(field.name, element, i)}]", out)
        else:
            _leaf(value, at, out)


def _name(field, element, i):
    if field in _UNORDERED:
        for key in _KEYS:
            if key in element.DESCRIPTOR.fields_by_name and getattr(element, key):
                return getattr(element, key)
    return i


def _leaf(value, path, out):
    if not hasattr(value, "ListFields"):
        if value:
            out[path] = value
    elif value.DESCRIPTOR.name == "Time":
        out[path] = (value.seconds, value.nanos)
    elif not value.ListFields():
        out[path] = {}  # an empty message says something too: emptyDir, running
    else:
        _walk(value, path, out)
