"""What the fields of a packet may hold (WIRE-11 to WIRE-13, FLOW-08): `check` after decoding."""

import re

from wire import Broken, demand

WORD, TEXT, TAG, NAME = 64, 1 << 10, 5 << 10, 253
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TYPE = re.compile(r"[A-Za-z0-9$-]{1,63}")
ORIGIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
RESOURCE_MAX_BYTES = 8 << 20
CHANGE_MAX_BYTES = RESOURCE_MAX_BYTES + (32 << 10)
WORDS = {"Intent": ["why"], "Want": ["why"], "Hold": ["reason"], "Verdict": ["code"]}
TEXTS = {"Hold": ["text"], "Goodbye": ["reason"], "Verdict": ["field", "text"]}


def size(text):
    return len(text.encode("utf-8"))


def word(text, what):
    demand(size(text) <= WORD and not CONTROL.search(text), f"WIRE-11: {what} is no word")


def name(text, what):
    demand(text and size(text) <= NAME and not CONTROL.search(text) and "/" not in text,
           f"WIRE-12: {what} is no name")


def resource_class(m):
    demand(TYPE.fullmatch(m["type"]), "WIRE-11: no name of a type")
    demand(m["mesh"] == "" or not name(m["mesh"], "mesh"), "WIRE-12")
    demand(ORIGIN.fullmatch(m["origin"]), "WIRE-12: an origin is global or a zone's name")
    demand(size(m.get("tag", "")) <= TAG, "WIRE-11: the tag is too long")


def change(m):
    demand(m["kind"] in ("upsert", "leave"), "WIRE-11: a change is an upsert or a leave")
    resource_class(m)
    name(m["name"], "name")
    keys = [label["key"].encode("utf-8") for label in m["labels"]]
    demand(keys == sorted(set(keys)) and b"" not in keys, "FLOW-08: labels are sorted and unique")
    demand(len(keys) <= 64 and sum(size(label["key"]) + size(label["value"])
                                   for label in m["labels"]) <= 4 << 10, "WIRE-13: labels")
    content = len(m["spec"]) + len(m["status"])
    demand(m["kind"] == "upsert" or not (keys or content), "FLOW-08: a leave has no content")
    demand(content <= RESOURCE_MAX_BYTES, "FLOW-08: the resource is too large", 1009)


def verdict(m):
    resource_class(m)
    name(m["name"], "name")
    demand(m["revision"], "WIRE-11: a verdict names a revision")


def check(kind, m):
    """Raises Broken where packet `m` of that kind breaks a rule that needs no other packet."""
    for field in WORDS.get(kind, []):
        word(m[field], field)
    for field in TEXTS.get(kind, []):
        demand(size(m[field]) <= TEXT, f"WIRE-11: {field} is too long")
    if kind == "Change":
        change(m)
    elif kind == "Drop":
        resource_class(m)
    elif kind == "Welcome":
        demand(len(m["features"]) <= 64 and len(m["types"]) <= 1_000, "WIRE-13: Welcome")
        for feature in m["features"]:
            word(feature, "feature")
        for each in m["types"]:
            demand(TYPE.fullmatch(each["name"]), "WIRE-11: no name of a type")
            demand(each["scope"] != "unknown", "WIRE-11: a type without scope")
    elif kind == "Intent":
        demand(m["reason"] != "unknown", "WIRE-11: an Intent without reason")
    elif kind == "Hold":
        demand(m["reason"], "WIRE-11: a Hold without reason")
    elif kind == "Part":
        demand(m["index"] < m["count"] and m["bytes"], "FLOW-07: a Part out of its series")
        demand(m["total_bytes"] <= CHANGE_MAX_BYTES, "FLOW-07: the change is too large", 1009)
    elif kind == "List":
        demand(TYPE.fullmatch(m["type"]), "WIRE-11: no name of a type")
        demand(m["nonce"], "V1-03: nonces count from 1")
    elif kind == "Ack":
        demand(len(m["verdicts"]) <= 10_000, "WIRE-13: too many verdicts", 1009)
        for each in m["verdicts"]:
            verdict(each)
            check("Verdict", each)


__all__ = ["Broken", "check", "CHANGE_MAX_BYTES"]
