"""Rules that the adapter can break on purpose: ZONESYNC_PY_BREAK=name. suite_test.py shows that
the suite notices, by the cases named here and by none that only the other breaks name.
"""

import collections

import receiver
import replica
import session

Break = collections.namedtuple("Break", "clause install cases")


def patch(owner, name, make):
    setattr(owner, name, make(getattr(owner, name)))


def visible_before_mark():
    early = {}

    def make_change(change):
        def broken(self, revision, payload, m):
            change(self, revision, payload, m)
            early[receiver.key_of(m)] = m
        return broken

    def make_commit(commit):
        def broken(self, changes, cursor):
            commit(self, changes, cursor)
            early.clear()
        return broken

    def make_shown(shown):
        def broken(self):
            return shown(self) + [m for key, m in early.items() if key not in self.entries]
        return broken
    patch(receiver.Receiver, "change", make_change)
    patch(replica.Replica, "commit", make_commit)
    patch(replica.Replica, "shown", make_shown)


def blind_to_digests():
    receiver.Receiver.agrees = lambda self, digest, changes: True


def counts_payloads_only():
    def make(count):
        def broken(self, size):
            count(self, size - 16)
        return broken
    patch(receiver.Receiver, "count", make)


def removes_by_absence():
    def make(intent):
        def broken(self, m):
            return intent(self, {**m, "complete": True})
        return broken
    patch(receiver.Receiver, "intent", make)


def no_mass_delete_guard():
    receiver.Receiver.too_many = lambda self, removed: False


def shows_refused_versions():
    def make(commit):
        def broken(self, changes, cursor):
            commit(self, {key: entry and receiver.with_(entry, shown=entry.payload)
                          for key, entry in changes.items()}, cursor)
        return broken
    patch(replica.Replica, "commit", make)


def forgets_rejects():
    def make(init):
        def broken(self, *args):
            init(self, *args)
            self.verdicts = []
        return broken
    patch(receiver.Receiver, "__init__", make)


def leaves_without_goodbye():
    session.Session.end = lambda self, code, reason: ""


BREAKS = {
    "visible-before-mark": Break("FLOW-14", visible_before_mark, [
        "apply.full-without-digest", "apply.mark-wrong-count", "apply.whole-cut-at-mark",
        "digest.mismatch-asks-again", "digest.three-mismatches-hold", "resume.interrupted-cut"]),
    "blind-to-digests": Break("FLOW-14", blind_to_digests, [
        "digest.idle-mismatch", "digest.mismatch-asks-again", "digest.three-mismatches-hold"]),
    "removes-by-absence": Break("FLOW-16", removes_by_absence, [
        "guard.partial-log-removes-nothing"]),
    "no-mass-delete-guard": Break("FLOW-17", no_mass_delete_guard, ["guard.mass-delete-held"]),
    "counts-payloads-only": Break("FLOW-20", counts_payloads_only, [
        "ack.received-and-cursor", "resume.data-before-intent-counts"]),
    "shows-refused-versions": Break("FLOW-24", shows_refused_versions, [
        "verdict.last-accepted-stays", "verdict.never-accepted", "verdict.survives-restart"]),
    "forgets-rejects": Break("FLOW-26", forgets_rejects, ["verdict.counted-in-hello"]),
    "leaves-without-goodbye": Break("SES-10", leaves_without_goodbye, ["client.goodbye-on-stop"]),
}


def install(name):
    if name:
        BREAKS[name].install()
