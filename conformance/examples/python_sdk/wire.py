"""The wire: packets, their FlatBuffers payloads and what each says (docs/protocol.md section 2).

The tables are read from protocol/schema/*.fbs. FlatBuffers for Python has no verifier, and WIRE-10
asks for one: reading and verifying are one walk over the schema here. A broken rule is `Broken`,
with the code to close with and the clause.
"""

import collections
import pathlib
import re

import flatbuffers
import xxhash
from flatbuffers import encode, number_types

KINDS = {1: "Hello", 2: "Welcome", 3: "Goodbye", 4: "Sync", 5: "Synced", 16: "Want", 17: "Intent",
         18: "Change", 19: "Part", 20: "Drop", 21: "Mark", 22: "Ack", 23: "Hold", 24: "Buckets",
         25: "Differing", 26: "Prints", 27: "Remove", 28: "List", 30: "Patch"}
NUMBERS = {name: kind for kind, name in KINDS.items()}
DATA = {"Change", "Part", "Patch", "Drop", "Remove"}     # what credit counts (FLOW-20)
REVISED = {"Change", "Part", "Patch"}
DOWN, UP = 0, 1
HEADER_BYTES = 16
MESSAGE_MAX_BYTES = 1 << 20
TABLES_MAX = 100_000
DEPTH_MAX = 16

Packet = collections.namedtuple("Packet", "name flow revision payload bytes")
Cursor = collections.namedtuple("Cursor", "era revision view")
Digest = collections.namedtuple("Digest", "low high count")
Field = collections.namedtuple("Field", "name slot type required")
STRUCTS = {"Id128": ("16s", 1, None), "Cursor": ("16sQ16s", 8, Cursor),
           "Digest": ("QQQ", 8, Digest)}
SCALARS = {"bool": number_types.BoolFlags, "ubyte": number_types.Uint8Flags,
           "ushort": number_types.Uint16Flags, "uint": number_types.Uint32Flags,
           "ulong": number_types.Uint64Flags, "int": number_types.Int32Flags}


class Broken(Exception):
    """A rule of the protocol was broken; the session closes with `code`."""

    def __init__(self, text, code=4400):
        super().__init__(text)
        self.code = code


def demand(holds, text, code=4400):
    if not holds:
        raise Broken(text, code)


def hash_of(payload):
    return xxhash.xxh3_128_digest(payload)


def load_schema(folder):
    tables, enums = {}, {}
    for path in sorted(pathlib.Path(folder).glob("*.fbs")):
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        for name, body in re.findall(r"enum (\w+) : ubyte \{([^}]*)\}", text):
            enums[name] = re.findall(r"(\w+) = \d+", body)          # in order, from 0
        for name, body in re.findall(r"table (\w+) \{([^}]*)\}", text):
            fields = re.findall(r"(\w+):(\S+) \(id: (\d+)(, required)?\);", body)
            tables[name] = [Field(f, int(slot), kind, bool(must)) for f, kind, slot, must in fields]
    return tables, enums


SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "protocol" / "schema"
TABLES, ENUMS = load_schema(SCHEMA)


class Reader:
    """One payload, every offset of it checked before it is followed (WIRE-10)."""

    def __init__(self, payload):
        self.bytes = payload
        self.tables = 0

    def number(self, flags, at):
        demand(at >= 0 and at % flags.bytewidth == 0 and at + flags.bytewidth <= len(self.bytes),
               "WIRE-10: an offset leads out of the payload")
        return encode.Get(flags.packer_type, self.bytes, at)

    def follow(self, at):
        return at + self.number(number_types.UOffsetTFlags, at)

    def table(self, name, at, depth=1):
        self.tables += 1
        demand(depth <= DEPTH_MAX and self.tables <= TABLES_MAX, "WIRE-10: too many tables")
        vtable = at - self.number(number_types.SOffsetTFlags, at)
        size = self.number(number_types.VOffsetTFlags, vtable)
        length = self.number(number_types.VOffsetTFlags, vtable + 2)
        demand(size >= 4 and size % 2 == 0 and vtable + size <= len(self.bytes) and
               at + length <= len(self.bytes), "WIRE-10: a table leads out of the payload")
        out = {}
        for field in TABLES[name]:
            place = 4 + 2 * field.slot
            offset = self.number(number_types.VOffsetTFlags, vtable + place) if place < size else 0
            demand(offset or not field.required, f"WIRE-10: {name} has no {field.name}")
            out[field.name] = (self.value(field.type, at + offset, depth) if offset
                               else self.absent(field.type))
        return out

    @staticmethod
    def absent(kind):
        if kind == "string":
            return ""
        if kind == "[ubyte]":
            return b""
        if kind.startswith("["):
            return []
        if kind == "bool":
            return False
        return ENUMS[kind][0] if kind in ENUMS else 0 if kind in SCALARS else None

    def value(self, kind, at, depth):
        if kind in SCALARS:
            return self.number(SCALARS[kind], at)
        if kind in ENUMS:
            number = self.number(number_types.Uint8Flags, at)
            demand(0 < number < len(ENUMS[kind]), f"WIRE-11: {kind} {number} is not known")
            return ENUMS[kind][number]
        if kind in STRUCTS:
            return self.struct(kind, at)
        if kind == "string":
            return self.string(self.follow(at))
        if kind.startswith("["):
            return self.vector(kind[1:-1], self.follow(at), depth)
        return self.table(kind, self.follow(at), depth + 1)

    def struct(self, kind, at):
        form, alignment, make = STRUCTS[kind]
        packer = encode.packer.struct.Struct("<" + form)
        demand(at % alignment == 0 and at + packer.size <= len(self.bytes),
               "WIRE-10: a struct leads out of the payload")
        values = packer.unpack_from(self.bytes, at)
        return make(*values) if make else values[0]

    def span(self, at, item_bytes, more=0):
        count = self.number(number_types.UOffsetTFlags, at)
        end = at + 4 + count * item_bytes
        demand(end + more <= len(self.bytes), "WIRE-10: a vector leads out of the payload")
        return count, bytes(self.bytes[at + 4:end]) if item_bytes == 1 else b""

    def string(self, at):
        count, text = self.span(at, 1, more=1)
        demand(self.bytes[at + 4 + count] == 0, "WIRE-10: a string has no end")
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:
            raise Broken("WIRE-11: a string is not UTF-8") from None

    def vector(self, kind, at, depth):
        if kind == "ubyte":
            return self.span(at, 1)[1]
        width = SCALARS[kind].bytewidth if kind in SCALARS else 4
        count, _ = self.span(at, width)
        return [self.value(kind, at + 4 + each * width, depth) for each in range(count)]


def decode(name, payload):
    """The payload as a dictionary; absent strings and vectors are empty, absent structs None."""
    if name == "Change":
        demand(payload[4:8] == b"ZSC1", "WIRE-10: a Change without its identifier")
    reader = Reader(payload)
    return reader.table(name, reader.follow(0))


class _Writer(flatbuffers.Builder):
    def inline(self, kind, value):
        form, alignment, make = STRUCTS[kind]
        packed = encode.packer.struct.pack("<" + form, *(value if make else (value,)))
        self.Prep(alignment, len(packed))
        self.head -= len(packed)
        self.Bytes[self.head:self.head + len(packed)] = packed
        return self.Offset()

    def table(self, name, values):
        fields = [field for field in TABLES[name]
                  if field.required or values.get(field.name) not in (None, "", b"", [])]
        ready = {field.name: self.reference(field.type, values[field.name]) for field in fields
                 if field.type not in SCALARS | ENUMS | STRUCTS}
        self.StartObject(1 + max(field.slot for field in TABLES[name]))
        for field in fields:
            value = values[field.name]
            if field.type in STRUCTS:
                self.PrependStructSlot(field.slot, self.inline(field.type, value), 0)
            elif field.type in ENUMS:
                self.PrependUint8Slot(field.slot, ENUMS[field.type].index(value), 0)
            elif field.type in SCALARS:
                self.PrependSlot(SCALARS[field.type], field.slot, value, 0)
            else:
                self.PrependUOffsetTRelativeSlot(field.slot, ready[field.name], 0)
        return self.EndObject()

    def reference(self, kind, value):
        if kind == "string":
            return self.CreateString(value)
        if kind == "[ubyte]":
            return self.CreateByteVector(value)
        if kind.startswith("["):
            scalar = SCALARS.get(kind[1:-1])
            items = value if scalar else [self.reference(kind[1:-1], each) for each in value]
            width = scalar.bytewidth if scalar else 4
            self.StartVector(width, len(items), width)
            for each in reversed(items):
                self.Prepend(scalar, each) if scalar else self.PrependUOffsetTRelative(each)
            return self.EndVector()
        return self.table(kind, value)


def encode_payload(name, values):
    """The FlatBuffers payload of a table of the schema from a dictionary like decode()'s."""
    writer = _Writer(256)
    root = writer.table(name, values)
    writer.Finish(root, file_identifier=b"ZSC1" if name == "Change" else None)
    return bytes(writer.Output())


def pack(name, payload, flow=DOWN, revision=0):
    """One packet: header, payload, padding."""
    header = encode.packer.struct.pack("<IBBHQ", len(payload), flow << 2, 0, NUMBERS[name],
                                       revision)
    return header + payload + bytes(-len(payload) % 8)


def unpack(message):
    """Yields the packets of a message, each checked as far as WIRE-01 to WIRE-09 go."""
    demand(len(message) <= MESSAGE_MAX_BYTES, "WIRE-09: the message is too large", 1009)
    at = 0
    while at < len(message):
        demand(len(message) - at >= HEADER_BYTES, "WIRE-02: half a header")
        length, flags, dictionary, kind, revision = encode.packer.struct.unpack_from(
            "<IBBHQ", message, at)
        end = at + HEADER_BYTES + length
        padded = end + -length % 8
        demand(padded <= len(message), "WIRE-02: a packet leads out of its message")
        demand(kind in KINDS, f"WIRE-03: kind {kind} is not known")
        demand(flags & 0xf8 == 0, "WIRE-04: a reserved flag")
        demand(flags & 3 == 0 and dictionary == 0, "WIRE-05: compression was not negotiated")
        demand(flags == 0 or kind >= 16, "WIRE-06: a session packet on the up flow")
        name = KINDS[kind]
        demand((revision != 0) == (name in REVISED), "WIRE-07: a revision where none belongs")
        demand(not any(message[end:padded]), "WIRE-08: padding is not zero")
        payload = message[at + HEADER_BYTES:end]
        yield Packet(name, flags >> 2, revision, payload, padded - at)
        at = padded
