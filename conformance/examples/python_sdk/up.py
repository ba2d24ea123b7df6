"""The up flow of a zone that publishes nothing: an empty, partial log that answers every Want."""

import os

import wire
from wire import demand

NOTHING = wire.Digest(0, 0, 0)


class EmptyLog:
    """Identity of the log, as Hello names it; made once per process."""

    def __init__(self):
        self.log_id, self.era = os.urandom(16), os.urandom(16)

    def info(self):
        return {"log_id": self.log_id, "era": self.era, "head": 0, "complete": False}


class Sender:
    """Lives as long as a session. `say(name, values)` sends a packet of the up flow."""

    def __init__(self, log, view, say):
        self.log, self.say = log, say
        self.here = wire.Cursor(log.era, 0, view)
        self.peer_held = ""
        self.received = 0

    def answer(self, want):
        """FLOW-02; the Mark behind it ends the cut, which is empty."""
        self.peer_held = ""
        cursor, forced = want["cursor"], want.get("force_full") or want.get("repair")
        valid = cursor == self.here and not forced
        why = (want.get("why", "") if forced else "" if valid else "no_cursor" if cursor is None
               else "unknown_era" if cursor.era != self.log.era
               else "view_changed" if cursor.view != self.here.view else "beyond_era")
        start = self.here if valid else None
        self.say("Intent", {"reason": "none" if valid else "full", "log_id": self.log.log_id,
                            "complete": False, "view": self.here.view, "from": start, "head": 0,
                            "why": why})
        self.say("Mark", {"from": start, "to": self.here, "changes": 0, "digest": NOTHING})

    def take(self, packet, m):
        """One packet of the up flow from the hub."""
        if packet.name == "Want":
            return self.answer(m)
        demand(packet.name in ("Ack", "Hold"), f"FLOW-03: {packet.name} on the wrong flow")
        if packet.name == "Hold":
            self.peer_held = "" if m["released"] else m["reason"]
            return None
        demand(m["received_bytes"] == 0, "FLOW-20: more received than sent")
        demand(m["cursor"] in (None, self.here), "FLOW-21: the cursor lies outside the log")
        return None

    def idle(self):
        if not self.peer_held:
            self.say("Mark", {"from": self.here, "to": self.here, "changes": 0, "digest": NOTHING})
