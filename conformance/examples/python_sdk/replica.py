"""What a zone holds of the hub's log, in memory and in SQLite: resources, their digest, the cursor.

One commit() is one durable step (FLOW-14). Path `:memory:` is a replica that dies with its process.
"""

import dataclasses
import json
import sqlite3
import typing

import xxhash

import wire

Key = typing.Tuple[str, str, str, str]        # type, mesh, origin, name
MODULUS = 1 << 128


def fingerprint(key):
    parts = [part.encode("utf-8") for part in key]
    return xxhash.xxh3_128_digest(b"".join(len(part).to_bytes(4, "little") + part
                                           for part in parts))


def digest_of(items):
    """Section 6: of (key, hash) pairs."""
    total, count = 0, 0
    for key, hash_ in items:
        total += int.from_bytes(xxhash.xxh3_128_digest(fingerprint(key) + hash_), "big")
        count += 1
    return as_digest(total, count)


def as_digest(total, count):
    total %= MODULUS
    return wire.Digest(total & (1 << 64) - 1, total >> 64, count)


def plus(digest, other, sign=1):
    both = [(each.high << 64) + each.low for each in (digest, other)]
    return as_digest(both[0] + sign * both[1], digest.count + sign * other.count)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One key. `payload` is the version the sender offered last; `shown` the one the application
    sees, which is older or nothing while `reject` is set (FLOW-24)."""
    revision: int
    payload: bytes
    tag: str
    shown: typing.Optional[bytes]
    reject: typing.Optional[dict] = None
    confirmed: bool = True                     # False: kept from a log that is gone (FLOW-16)
    hash: bytes = b""


class Replica:
    def __init__(self, path=":memory:"):
        self.base = sqlite3.connect(path, isolation_level=None)
        self.base.execute("PRAGMA synchronous=FULL")
        self.base.execute(
            "CREATE TABLE IF NOT EXISTS entry (type, mesh, origin, name, revision, payload, tag, "
            "shown, reject, confirmed, PRIMARY KEY (type, mesh, origin, name))")
        self.base.execute("CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY, era, "
                          "revision, view)")
        row = self.base.execute("SELECT era, revision, view FROM cursor").fetchone()
        self.cursor = wire.Cursor(*row) if row else None
        self.entries = {}
        for type_, mesh, origin, name, revision, payload, tag, shown, reject, confirmed in \
                self.base.execute("SELECT * FROM entry"):
            self.entries[(type_, mesh, origin, name)] = Entry(
                revision, payload, tag, shown, json.loads(reject) if reject else None,
                bool(confirmed), wire.hash_of(payload))
        self.digest = digest_of((key, entry.hash) for key, entry in self.entries.items()
                                if entry.confirmed)

    def close(self):
        self.base.close()

    def digest_after(self, changes):
        """What the digest will be: it covers every offered version, rejected ones too."""
        digest = self.digest
        for key, entry in changes.items():
            old = self.entries.get(key)
            if old and old.confirmed:
                digest = plus(digest, digest_of([(key, old.hash)]), -1)
            if entry and entry.confirmed:
                digest = plus(digest, digest_of([(key, entry.hash)]))
        return digest

    def commit(self, changes, cursor):
        """`changes`: key to Entry, or to None where the resource goes. Raises sqlite3.Error; then
        nothing of it happened."""
        digest = self.digest_after(changes)
        try:
            self.write(changes, cursor)
        except sqlite3.Error:
            if self.base.in_transaction:
                self.base.execute("ROLLBACK")
            raise
        for key, entry in changes.items():
            if entry is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = entry
        self.digest, self.cursor = digest, cursor

    def write(self, changes, cursor):
        self.base.execute("BEGIN IMMEDIATE")
        for key, entry in changes.items():
            if entry is None:
                self.base.execute("DELETE FROM entry WHERE type=? AND mesh=? AND origin=? "
                                  "AND name=?", key)
            else:
                self.base.execute(
                    "INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)",
                    (*key, entry.revision, entry.payload, entry.tag, entry.shown,
                     json.dumps(entry.reject) if entry.reject else None, entry.confirmed))
        self.base.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?, ?)", cursor)
        self.base.execute("COMMIT")

    def rejects(self):
        return {key: entry for key, entry in self.entries.items() if entry.reject}

    def shown(self):
        """What the application sees: decoded Changes of accepted versions."""
        return [wire.decode("Change", entry.shown)
                for _, entry in sorted(self.entries.items()) if entry.shown is not None]
