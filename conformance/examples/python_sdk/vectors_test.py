"""Every packet of conformance/vectors, decoded by this SDK: hex says what json says."""

import json
import pathlib
import sys
import unittest

import replica
import rules
import wire

VECTORS = wire.SCHEMA.parents[1] / "conformance" / "vectors"
# Names that the JSON of the vectors and the schema do not share.
RENAMED = {"sync_id": "id", "kind": "change"}
KEY = ("type", "mesh", "origin", "name")


def entries(*files):
    for path in files:
        for entry in json.loads(path.read_text(encoding="utf-8")):
            yield path.name, entry


def read(entry):
    (packet,) = wire.unpack(bytes.fromhex(entry["hex"]))
    message = wire.decode(packet.name, packet.payload)
    rules.check(packet.name, message)
    return packet, message


def as_json(value):
    """A decoded value in the words of the vectors."""
    if isinstance(value, wire.Cursor):
        return {"era": value.era.hex(), "revision": value.revision, "view": value.view.hex()}
    if value is None:
        return f"0:{0:032x}"                       # an absent digest is that of nothing
    if isinstance(value, wire.Digest):
        return f"{value.count}:{value.high:016x}{value.low:016x}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, dict):
        return {RENAMED.get(name, name): as_json(each) for name, each in value.items()}
    return value


def halves(records):
    return [(records[at:at + 16].hex(), records[at + 16:at + 32].hex())
            for at in range(0, len(records), 32)]


def in_words(packet, message):
    """The whole packet as the vectors tell it."""
    out = as_json(message)
    if packet.name == "Change":
        out["labels"] = {label["key"]: label["value"] for label in message["labels"]}
        out["spec"], out["status"] = message["spec"].decode(), message["status"].decode()
        out["hash"] = wire.hash_of(packet.payload).hex()
    elif packet.name == "Part":
        out["bytes"] = message["bytes"].decode()
    elif packet.name == "Ack":
        for verdict in out["verdicts"]:
            verdict["key"] = {name: verdict.pop(name) for name in KEY}
            if verdict["accepted"]:
                for name in ("code", "field", "text", "retryable"):
                    verdict.pop(name)
    elif packet.name == "Welcome":
        for each in out["types"]:
            each["scope_labels"] = [label["name"] for label in each["scope_labels"]]
    elif packet.name == "Patch":
        out["key"] = {name: out.pop(name) for name in KEY}
        out["frame_bytes"] = len(message["frame"])
    elif packet.name == "Buckets":
        out["sums"] = [f"{each:016x}" for each in message["sums"]]
    elif packet.name == "Prints":
        out["records"] = [{"key": key, "hash": print_}
                          for key, print_ in halves(message["records"])]
    elif packet.name == "Remove":
        packed = message["fingerprints"].hex()
        out["fingerprints"] = [packed[at:at + 32] for at in range(0, len(packed), 32)]
    out["kind"] = packet.name.lower()
    out["flow"] = "up" if packet.flow else "down"
    out["rev"] = packet.revision
    return out


class Vectors(unittest.TestCase):
    def test_hex_says_what_json_says(self):
        files = [path for path in sorted(VECTORS.glob("**/*.json"))
                 if path.name not in ("refused.json", "compressed.json", "digests.json")]
        seen = set()
        for file, entry in entries(*files):
            with self.subTest(file=file, name=entry["name"]):
                packet, message = read(entry)
                words = in_words(packet, message)
                seen.add(packet.name)
                for name, value in entry["json"].items():
                    self.assertEqual(words[name], value, name)
        self.assertEqual(seen, set(wire.NUMBERS))

    def test_our_own_bytes_say_the_same(self):
        for file, entry in entries(*sorted(VECTORS.glob("*.json"))):
            if file in ("refused.json", "compressed.json", "digests.json"):
                continue
            with self.subTest(file=file, name=entry["name"]):
                packet, message = read(entry)
                payload = wire.encode_payload(packet.name, message)
                again = wire.pack(packet.name, payload, packet.flow, packet.revision)
                (back,) = wire.unpack(again)
                self.assertEqual(wire.decode(back.name, back.payload), message)

    def test_refuses_what_every_receiver_refuses(self):
        for file, entry in entries(VECTORS / "refused.json"):
            with self.subTest(name=entry["name"], meaning=entry["meaning"]):
                with self.assertRaises(wire.Broken):
                    read(entry)

    def test_refuses_what_was_not_negotiated(self):
        for file, entry in entries(VECTORS / "compressed.json"):
            with self.subTest(name=entry["name"]):
                with self.assertRaises(wire.Broken) as caught:
                    read(entry)
                self.assertIn("WIRE-05", str(caught.exception))

    def test_digests(self):
        for file, entry in entries(VECTORS / "digests.json"):
            with self.subTest(name=entry["name"]):
                items = [(tuple(each[part] for part in KEY), bytes.fromhex(each["hash"]))
                         for each in entry["resources"]]
                self.assertEqual([replica.fingerprint(key).hex() for key, _ in items],
                                 [each["fingerprint"] for each in entry["resources"]])
                self.assertEqual(as_json(replica.digest_of(items)), entry["digest"])

    def test_every_cut_and_every_flipped_byte_is_read_or_refused(self):
        files = set(VECTORS.glob("*.json")) - {VECTORS / "digests.json"}
        for file, entry in entries(*sorted(files)):
            message = bytes.fromhex(entry["hex"])
            for at in range(len(message)):
                for broken in (message[:at], message[:at] + bytes([message[at] ^ 0xff]) +
                               message[at + 1:]):
                    try:
                        for packet in wire.unpack(broken):
                            rules.check(packet.name, wire.decode(packet.name, packet.payload))
                    except wire.Broken:
                        pass


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
