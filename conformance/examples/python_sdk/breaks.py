"""Rules that the adapter can break on purpose: ZONESYNC_PY_BREAK=name. suite_test.py shows that
the suite notices, by the cases named here and by no others of CASES.
"""

import collections

import receiver
import replica
import session

Break = collections.namedtuple("Break", "clause install cases")
# What is run on a broken SDK: enough to tell one break from another, quick enough for every build.
CASES = r"^(ack\.|apply\.|client\.goodbye|digest\.|guard\.|resume\.|verdict\.)"


def patch(owner, name, make):
    setattr(owner, name, make(getattr(owner, name)))


def cursor_before_intent():
    def make(init):
        def broken(self, *args):
            init(self, *args)
            self.known = True
        return broken
    patch(receiver.Receiver, "__init__", make)


def visible_before_mark():
    def make(change):
        def broken(self, revision, payload, m):
            change(self, revision, payload, m)
            key = receiver.key_of(m)
            if m["kind"] == "upsert" and key not in self.replica.entries:
                self.replica.entries[key] = self.offered(key, revision, payload, m)
        return broken
    patch(receiver.Receiver, "change", make)


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
    "cursor-before-intent": Break("FLOW-21", cursor_before_intent, []),
    "visible-before-mark": Break("FLOW-14", visible_before_mark, []),
    "blind-to-digests": Break("FLOW-14", blind_to_digests, []),
    "counts-payloads-only": Break("FLOW-20", counts_payloads_only, []),
    "removes-by-absence": Break("FLOW-16", removes_by_absence, []),
    "no-mass-delete-guard": Break("FLOW-17", no_mass_delete_guard, []),
    "shows-refused-versions": Break("FLOW-24", shows_refused_versions, []),
    "forgets-rejects": Break("FLOW-26", forgets_rejects, []),
    "leaves-without-goodbye": Break("SES-10", leaves_without_goodbye, []),
}


def install(name):
    if name:
        BREAKS[name].install()
