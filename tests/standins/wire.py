"""Pods between JSON and protobuf, by the messages that protoc makes of proto/: an encoder independent of ours."""
import datetime
import struct

from node.contracts import Pod

MAGIC = b"k8s\0"


def fill(message, value):
    """Sets the fields of `message` from a JSON object, by the rules of Kubernetes."""
    kind = message.DESCRIPTOR.name
    if kind == "Quantity":
        message.string = str(value)
    elif kind in ("Time", "MicroTime"):
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        message.seconds, message.nanos = int(moment.timestamp()), 0
    elif kind == "IntOrString":
        if isinstance(value, int):
            message.type, message.intVal = 0, value
        else:
            message.type, message.strVal = 1, value
    else:
        for key, inner in value.items():
            if inner is not None:
                _field(message, key, inner)
    return message


def _field(message, key, value):
    field = message.DESCRIPTOR.fields_by_name.get(key)
    if field is None:
        # Members of inlined messages stand in their parent.
        inlined = [f for f in message.DESCRIPTOR.fields if f.message_type and key in f.message_type.fields_by_name]
        if not inlined:
            raise KeyError(f"{message.DESCRIPTOR.name} has no field {key}")
        _field(getattr(message, inlined[0].name), key, value)
    elif field.message_type and field.message_type.GetOptions().map_entry:
        for k, v in value.items():
            if field.message_type.fields_by_name["value"].message_type:
                fill(getattr(message, key)[k], v)
            else:
                getattr(message, key)[k] = v
    elif field.is_repeated:
        if field.message_type:
            for item in value:
                fill(getattr(message, key).add(), item)
        else:
            getattr(message, key).extend(value)
    elif field.message_type:
        sub = getattr(message, key)
        sub.SetInParent()
        fill(sub, value)
    else:
        setattr(message, key, value)


def pod(value):
    """The protobuf encoding of a pod in JSON."""
    plain = {k: v for k, v in value.items() if k not in ("kind", "apiVersion")}
    return fill(Pod(), plain).SerializeToString()


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def put(number, value):
    """A length-delimited field, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def seal(kind, raw):
    """`runtime.Unknown` behind the magic bytes; Go writes the two empty strings at its end."""
    return MAGIC + put(1, put(1, "v1") + put(2, kind)) + put(2, raw) + put(3, "") + put(4, "")


def pod_list(version, next_page, pods):
    meta = put(1, "") + put(2, version) + put(3, next_page)
    return seal("PodList", put(1, meta) + b"".join(put(2, pod(p)) for p in pods))


def status(value):
    details = value.get("details", {})
    out = put(1, b"") + put(2, value["status"]) + put(3, value["message"]) + put(4, value["reason"])
    return seal("Status", out + put(5, put(5, details.get("retryAfterSeconds", 0))) + put(6, value["code"]))


def event(kind, obj):
    """One frame of a watch, its length in front."""
    raw = status(obj) if obj.get("kind") == "Status" else seal("Pod", pod(obj))
    frame = put(1, kind) + put(2, put(1, raw))
    return struct.pack(">I", len(frame)) + frame
