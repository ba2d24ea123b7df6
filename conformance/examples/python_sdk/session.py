"""One session: Hello, Welcome, both flows, liveness, the end (section 4). No I/O and no clock of
its own: messages go in by take(), packets come out by the `out` list, time is told by tick()."""

import rules
import wire
from receiver import WINDOW_BYTES, Receiver
from replica import digest_of
from up import Sender
from wire import Broken, demand

VERSION = 2
HANDSHAKE_S, SILENCE_S, IDLE_S = 10, 45, 10


class Session:
    """`zone`: what a client is: name, instance, types, meshes, durable, replica, log, judge."""

    def __init__(self, zone, v1, now):
        self.zone, self.v1 = zone, v1
        self.out = []                            # packets to send
        self.began = self.heard = self.said = self.now = now
        self.down = self.up = None               # None before Welcome
        self.goodbye = None
        self.hello()

    def say(self, name, values, flow=wire.DOWN):
        if self.goodbye is None:
            self.out.append(wire.pack(name, wire.encode_payload(name, values), flow))

    def hello(self):
        rejects = self.zone.replica.rejects()
        self.say("Hello", {
            "zone": self.zone.name, "instance": self.zone.instance, "software": "tiny-python/1",
            "version_min": VERSION, "version_max": VERSION, "features": [],
            "types": self.zone.types, "meshes": self.zone.meshes,
            "down_cursor": self.zone.replica.cursor, "durable": self.zone.durable,
            "open_rejects": len(rejects),
            "open_rejects_digest": digest_of((key, each.hash) for key, each in rejects.items()),
            "up_log": self.zone.log.info(), "down_window_bytes": WINDOW_BYTES})

    def take(self, message):
        """One websocket message. Raises Broken where it breaks a rule."""
        self.heard = self.now
        demand(isinstance(message, bytes), "CON-04: a text frame", 1003)
        for packet in wire.unpack(message):
            demand(self.goodbye is None, "SES-10: a packet after Goodbye")
            m = wire.decode(packet.name, packet.payload)
            rules.check(packet.name, m)
            self.packet(packet, m)
        if self.down and self.goodbye is None and (self.down.due or self.down.verdicts):
            self.down.ack()

    def packet(self, packet, m):
        if packet.name == "Goodbye":
            self.goodbye = m
        elif packet.name == "Welcome":
            self.welcome(m)
        elif self.down is None:
            raise Broken(f"SES-02: {packet.name} before Welcome")
        else:
            demand(packet.name != "Synced", "SES-09: a Synced without Sync")
            demand(packet.name not in ("Hello", "Sync"), f"SES-02: {packet.name} from the hub")
            (self.up if packet.flow else self.down).take(packet, m)

    def welcome(self, m):
        demand(self.down is None, "SES-02: a second Welcome")
        demand(m["version"] == VERSION, "SES-04: no common version", 4426)
        demand(not m["features"], "SES-04: a feature that was not offered")
        self.down = Receiver(self.zone.replica, self.zone.judge, self.say, self.v1,
                             [each["name"] for each in m["types"]])
        self.up = Sender(self.zone.log, m["up_view"],
                         lambda name, values: self.say(name, values, wire.UP))
        self.up.answer({"cursor": m["up_cursor"], "force_full": m["up_repair"]})

    def tick(self, now):
        """Time passed; raises Broken where the hub is too late."""
        self.now = now
        if self.down is None:
            demand(now - self.began < HANDSHAKE_S, "SES-05: no Welcome in time", 4408)
            return
        demand(now - self.heard < SILENCE_S, "SES-08: the hub is silent", 4408)
        self.down.tick(now)
        if now - self.said >= IDLE_S:
            self.said = now
            self.down.ack()
            self.up.idle()

    def end(self, code, reason):
        """Goodbye, as far as the connection still allows it."""
        reason = reason.encode("utf-8")[:123].decode("utf-8", "ignore")
        self.say("Goodbye", {"code": code, "reason": reason})
        return reason
