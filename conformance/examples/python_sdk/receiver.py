"""The down flow as its receiver: Want, Intent, cuts, credit, verdicts, Hold (section 5; 7 for v1).

A Receiver lives as long as a session. Nothing of a cut is visible before its Mark.
"""

import sqlite3

import rules
import wire
from replica import Entry, digest_of
from wire import demand

WINDOW_BYTES = 4 << 20
MASS_DELETE_MIN_KEYS, MASS_DELETE_PERCENT = 100, 50
VERDICTS_PER_ACK = 10_000
RETRY_S, RETRY_MAX_S = 1, 32


class Busy(Exception):
    """What a judge raises while the application takes nothing (Hold `application`)."""


def key_of(m):
    return m["type"], m["mesh"], m["origin"], m["name"]


class Receiver:
    """`say(name, values)` sends a packet of the down flow; `judge(change)` is a reject or None."""

    def __init__(self, replica, judge, say, v1=False, types=()):
        self.replica, self.judge, self.say, self.v1 = replica, judge, say, v1
        self.types = set(types)
        self.received = self.acked = 0           # bytes (FLOW-20)
        self.known = False                       # the cursor is one of this log (FLOW-21)
        self.wanted = {"cursor": replica.cursor} # Hello implies the first Want (FLOW-01)
        self.next_want = None
        self.held = ""
        self.approved = False
        self.mismatches = 0
        self.retry_s, self.retry_at, self.now = RETRY_S, 0, 0    # of a Hold `disk_full`
        self.head = None                         # of the log, as the Intent said
        self.nonce = 0
        self.due = True                          # an Ack is owed
        self.verdicts = [self.verdict(key, entry) for key, entry in replica.rejects().items()]
        self.drop_cut()
        self.place, self.full, self.complete, self.view = None, False, False, None

    def drop_cut(self):
        self.staged = []                         # (revision, payload, change)
        self.series = []                         # Parts so far: (packet, message)
        self.list, self.lists = None, {}         # v1: the open one; all of this cut by type
        self.changes = 0                         # that came, those of replaced lists too
        self.last = 0

    # -- Want and Intent ---------------------------------------------------------------------------
    def want(self, why, **values):
        """Drops what is staged and asks again from the durable cursor (FLOW-01)."""
        self.drop_cut()
        self.held = ""
        want = {"cursor": self.replica.cursor, "why": why, **values}
        if self.wanted is not None:              # one outstanding: it waits (FLOW-02)
            self.next_want = want
            return
        self.wanted = want
        self.say("Want", want)

    def intent(self, m):
        demand(self.wanted is not None, "FLOW-02: an Intent without Want")
        asked, self.wanted = self.wanted, None
        if self.next_want is not None:
            self.wanted, self.next_want = self.next_want, None
            return self.say("Want", self.wanted)
        demand(m["reason"] != "repair", "REP-01: repair was not negotiated")
        forced = asked.get("force_full")
        if m["reason"] == "full":
            demand(m["from"] is None, "FLOW-02: Intent full has no from")
        else:
            demand(not forced and asked["cursor"] is not None and m["from"] == asked["cursor"],
                   "FLOW-02: the Intent does not answer the Want")
            self.known = True
            if m["complete"] and not all(e.confirmed for e in self.replica.entries.values()):
                return self.want("log_complete", force_full=True)          # FLOW-16
        self.drop_cut()
        self.place, self.full = m["from"], m["reason"] == "full"
        self.complete, self.view, self.head = m["complete"], m["view"], m["head"]
        self.last = m["from"].revision if m["from"] else 0
        return None

    # -- data --------------------------------------------------------------------------------------
    def take(self, packet, m):
        """One packet of the down flow from the hub."""
        if packet.name in wire.DATA:
            self.count(packet.bytes)
        if packet.name == "Intent":
            return self.intent(m)
        if packet.name == "Hold":                # FLOW-33, FLOW-34: other words say nothing to us
            if m["reason"] == "resync" and not m["released"]:
                self.want("resync", force_full=True)
            return None
        demand(packet.name in ("Change", "Part", "Mark", "List"),
               f"FLOW-03: {packet.name} was not negotiated or comes from the wrong side")
        demand(packet.name != "List" or self.v1, "V1-01: a List in a delta session")
        if self.wanted is not None or self.held:
            return None                          # FLOW-04, FLOW-31: counted, not taken in
        if packet.name == "Mark":
            return self.mark(m)
        if packet.name == "List":
            return self.open_list(m)
        if packet.name == "Part":
            return self.part(packet, m)
        demand(not self.series, "FLOW-07: a Change inside a series of Parts")
        return self.change(packet.revision, packet.payload, m)

    def count(self, size):
        self.received += size
        beyond = self.received - self.acked
        demand(beyond <= WINDOW_BYTES or beyond == size, "FLOW-22: more than was granted", 4413)
        self.due = True

    def part(self, packet, m):
        if self.series:
            first, head = self.series[0]
            demand(packet.revision == first.revision and m["count"] == head["count"] and
                   m["total_bytes"] == head["total_bytes"], "FLOW-07: another series of Parts")
        demand(m["index"] == len(self.series), "FLOW-07: Parts out of order")
        self.series.append((packet, m))
        if len(self.series) < m["count"]:
            return
        payload = b"".join(each["bytes"] for _, each in self.series)
        self.series = []
        demand(len(payload) == m["total_bytes"], "FLOW-07: the Parts are not the whole")
        change = wire.decode("Change", payload)
        rules.check("Change", change)
        self.change(packet.revision, payload, change)

    def change(self, revision, payload, m):
        if self.v1:
            self.listed(revision, m)
        else:
            start = self.place.revision if self.place else 0
            demand(revision >= self.last and revision > start, "FLOW-05: revisions decrease")
            self.last = revision
        self.staged.append((revision, payload, m))
        self.changes += 1

    # -- v1 ----------------------------------------------------------------------------------------
    def open_list(self, m):
        demand(not self.series, "V1-03: a List inside a series of Parts")
        demand(not self.types or m["type"] in self.types, "V1-04: a List of a foreign type")
        older = self.lists.pop(m["type"], None)
        demand(self.list is None or self.list is older, "V1-04: the list before is not complete")
        demand(older is None or m["version"] > older["version"], "V1-05: an older list")
        demand(m["nonce"] > self.nonce, "V1-03: nonces count up")
        self.nonce = m["nonce"]
        self.staged = [each for each in self.staged if each[2]["type"] != m["type"]]
        self.list = self.lists[m["type"]] = {**m, "items": {}}
        self.close_list()

    def listed(self, revision, m):
        demand(self.list is not None and m["type"] == self.list["type"],
               "V1-01: a Change outside its list")
        demand(m["kind"] == "upsert", "V1-03: a leave in a list")
        demand(revision <= self.list["version"], "V1-03: newer than its list")
        demand(key_of(m) not in self.list["items"], "V1-03: a key twice in a list")
        self.list["items"][key_of(m)] = None     # hashes follow at the Mark
        self.close_list()

    def close_list(self):
        if len(self.list["items"]) == self.list["digest"].count:
            self.list = None

    def lists_agree(self):
        hashes = {}
        for _, payload, m in self.staged:
            hashes.setdefault(m["type"], []).append((key_of(m), wire.hash_of(payload)))
        return all(digest_of(hashes.get(each["type"], [])) == each["digest"]
                   for each in self.lists.values())

    # -- cuts --------------------------------------------------------------------------------------
    def mark(self, m):
        start, end = m["from"], m["to"]
        demand(not self.series, "FLOW-07: a Mark inside a series of Parts")
        demand(self.list is None, "V1-04: a Mark before its list is complete")
        demand(start == self.place and (start is None) == self.full,
               "FLOW-10: a cut begins where the one before ended")
        demand(m["changes"] == self.changes, "FLOW-11: another number of changes")
        newest = max([revision for revision, _, _ in self.staged] +
                     [each["version"] for each in self.lists.values()] +
                     [start.revision if start else 0])
        demand(end.revision >= newest, "FLOW-11: the cut ends before its changes")
        moved = start is not None and start.view != end.view
        demand(not moved or self.v1, "VIEW-08: another view, but views were not negotiated")
        demand(m["digest"] or not (self.full or moved or self.lists),
               "FLOW-13: this cut carries its digest")
        changes = self.plan()
        removed = sum(1 for key, entry in changes.items() if entry is None and self.full)
        if not self.agrees(m["digest"], changes):
            return self.mismatch()
        if self.too_many(removed):
            return self.hold("mass_delete", f"{removed} resources would go")
        return self.apply(changes, end)

    def agrees(self, digest, changes):
        """FLOW-14: before anything becomes visible."""
        return self.lists_agree() and (not digest or digest == self.replica.digest_after(changes))

    def plan(self):
        """What the staged cut does to each key."""
        changes = {}
        for revision, payload, m in self.staged:
            changes[key_of(m)] = None if m["kind"] == "leave" else (revision, payload, m)
        plan = {}
        for key, new in changes.items():
            if new is not None:
                plan[key] = self.offered(key, *new)
            elif key in self.replica.entries:
                plan[key] = None
        for key, entry in self.replica.entries.items():
            if key in changes:
                continue
            if self.full:                        # FLOW-16
                plan[key] = None if self.complete else with_(entry, confirmed=False)
            elif key[0] in self.lists and entry.confirmed:
                plan[key] = None                 # V1-02
        return plan

    def offered(self, key, revision, payload, m):
        old = self.replica.entries.get(key)
        hash_ = wire.hash_of(payload)
        if old and (old.revision, old.hash, old.tag) == (revision, hash_, m["tag"]):
            return with_(old, confirmed=True)
        return Entry(revision, payload, m["tag"], payload, None, True, hash_)

    def too_many(self, removed):
        return (removed > MASS_DELETE_MIN_KEYS and not self.approved and
                removed * 100 > len(self.replica.entries) * MASS_DELETE_PERCENT)

    def apply(self, changes, end):
        try:
            verdicts = self.judged(changes)
            if changes or end != self.replica.cursor:     # a Mark of idleness writes nothing
                self.replica.commit(changes, end)
                self.due = True
        except Busy as busy:
            return self.hold("application", str(busy))
        except sqlite3.Error as failed:          # FLOW-31: a Hold, never a verdict
            self.retry_at = self.now + self.retry_s
            self.retry_s = min(2 * self.retry_s, RETRY_MAX_S)
            return self.hold("disk_full", str(failed))
        self.verdicts += verdicts
        self.drop_cut()
        self.place, self.full, self.known, self.approved = end, False, True, False
        self.last = end.revision
        self.mismatches, self.retry_s = 0, RETRY_S
        return None

    def judged(self, changes):
        """Asks the judge about every new version in `changes`; the verdicts that follow."""
        verdicts = []
        for key, entry in changes.items():
            old = self.replica.entries.get(key)
            if entry is None:
                if old.reject:                   # FLOW-26
                    verdicts.append(self.verdict(key, old, accepted=True))
            elif old is None or (entry.hash, entry.revision) != (old.hash, old.revision):
                reject = self.judge(wire.decode("Change", entry.payload))
                if reject:
                    entry = with_(entry, reject=reject, shown=old.shown if old else None)
                    changes[key] = entry
                    verdicts.append(self.verdict(key, entry))
        return verdicts

    def mismatch(self):
        """REP-08, where repair was not negotiated: everything again, then Hold."""
        self.mismatches += 1
        if self.mismatches < 3:
            self.want("digest_mismatch", force_full=True)
        else:
            self.hold("digest", "the digest differs again and again")

    def hold(self, reason, text):
        self.drop_cut()
        self.held = reason
        self.say("Hold", {"reason": reason, "text": text})

    def approve(self):
        self.approved = True
        self.release("mass_delete")

    def release(self, reason):
        """The cause of a Hold ended: go on from the durable cursor (FLOW-32)."""
        if self.held == reason:
            self.want(reason)

    def tick(self, now):
        self.now = now
        if now >= self.retry_at:
            self.release("disk_full")

    # -- feedback ----------------------------------------------------------------------------------
    @staticmethod
    def verdict(key, entry, accepted=False):
        out = dict(zip(("type", "mesh", "origin", "name"), key), revision=entry.revision,
                   accepted=accepted)
        return out if accepted else {**out, **entry.reject}

    def ack(self):
        verdicts, self.verdicts = self.verdicts, []
        for at in range(0, max(1, len(verdicts)), VERDICTS_PER_ACK):
            self.say("Ack", {"received_bytes": self.received, "window_bytes": WINDOW_BYTES,
                             "cursor": self.replica.cursor if self.known else None,
                             "verdicts": verdicts[at:at + VERDICTS_PER_ACK]})
        self.acked, self.due = self.received, False

    def synced(self):
        return (self.known and self.wanted is None and not self.held and self.head is not None and
                self.replica.cursor.revision >= self.head)


def with_(entry, **values):
    return Entry(**{**entry.__dict__, **values})
