"""The client of a zone: a websocket over TLS, sessions one after the other, backoff (CON, SES-10).

    client = Client("wss://hub:5685/sync", zone="east", token=..., ca_file=..., path="east.db")
    asyncio.create_task(client.run())

Everything runs in the thread of the event loop.
"""

import asyncio
import os
import random
import ssl
import urllib.parse

import websockets

import wire
from replica import Replica
from session import HANDSHAKE_S, Session
from up import EmptyLog

DELTA, V1 = "zonesync.v2.delta", "zonesync.v1.sotw"
SLOW = {4401, 4403}
FINAL = 4409
FALLBACK_MAX_S = 24 * 3600


class Client:
    def __init__(self, url, zone, token, ca_file=None, path=":memory:", types=(), meshes=(),
                 judge=lambda change: None, mode="delta", backoff=(0.5, 60, 300)):
        parts = urllib.parse.urlsplit(url)
        self.url = url if parts.path.strip("/") else url.rstrip("/") + "/sync"
        self.name, self.token, self.types, self.meshes = zone, token, list(types), list(meshes)
        self.judge, self.mode = judge, mode
        self.durable = path != ":memory:"
        self.replica = Replica(path)
        self.log = EmptyLog()
        self.instance = os.urandom(16)            # SES-07: one per process
        self.base_s, self.max_s, self.auth_s = backoff
        self.tls = ssl.create_default_context(cafile=ca_file)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.session = None
        self.state = "initializing"
        self.close_code = 0
        self.failures = 0
        self.not_before = 0.0                     # of the next attempt, by the loop's clock
        self.v1_until = 0.0                       # V1-10
        self.stopping = False
        self.woken = asyncio.Event()

    # -- for the application -----------------------------------------------------------------------
    def stop(self):
        self.stopping = True
        self.woken.set()

    def approve_mass_delete(self):
        if self.session and self.session.down:
            self.session.down.approve()
        self.woken.set()

    def ready(self):
        """The judge no longer raises Busy."""
        if self.session and self.session.down:
            self.session.down.release("application")
        self.woken.set()

    def status(self):
        down = self.session.down if self.session else None
        up = self.session.up if self.session else None
        state = self.state
        if down:
            state = "synced" if down.synced() else "behind"
        cursor = self.replica.cursor
        return {"state": state, "connected": down is not None,
                "mode": "v1" if self.session and self.session.v1 else "delta",
                "held": down.held if down else "", "peer_held": up.peer_held if up else "",
                "revision": cursor.revision if cursor else 0, "close_code": self.close_code,
                "rejects": len(self.replica.rejects())}

    # -- connections -------------------------------------------------------------------------------
    async def run(self):
        """Until stop(), or until a newer instance took over."""
        clock = asyncio.get_running_loop().time
        while not self.stopping:
            try:
                slow = await self.connect_once(clock)
            except websockets.InvalidStatusCode as refused:
                slow = refused.status_code in (401, 403)
                self.wait_at_least(clock, refused.headers.get("Retry-After"))
            except (OSError, ssl.SSLError, asyncio.TimeoutError,
                    websockets.WebSocketException) as failed:
                slow = isinstance(failed, ssl.SSLCertVerificationError)
            if self.state in ("superseded", "closed"):
                break
            self.state = "auth_failed" if slow else "disconnected"
            self.failures += 1
            await self.pause(clock, slow)
        self.replica.close()

    def wait_at_least(self, clock, seconds):
        if seconds and str(seconds).isdigit():
            self.not_before = clock() + int(seconds)

    async def pause(self, clock, slow):
        """CON-05: full jitter, or the slow regime; never earlier than we were told."""
        most = min(self.max_s, self.base_s * 2 ** min(self.failures - 1, 30))
        until = max(clock() + (self.auth_s if slow else random.uniform(0, most)), self.not_before)
        while clock() < until and not self.stopping:
            self.woken.clear()
            try:
                await asyncio.wait_for(self.woken.wait(), until - clock())
            except asyncio.TimeoutError:
                pass

    async def connect_once(self, clock):
        """One connection from its first byte to its last; true = the slow regime follows."""
        v1_only = self.mode == "v1" or clock() < self.v1_until
        offered = [V1] if v1_only else [DELTA, V1]
        began = clock()
        async with websockets.connect(
                self.url, ssl=self.tls, subprotocols=offered, compression=None,
                extra_headers={"Authorization": f"Bearer {self.token}"}, ping_interval=None,
                open_timeout=HANDSHAKE_S, close_timeout=2, max_size=2 * wire.MESSAGE_MAX_BYTES,
        ) as socket:
            self.session = Session(self, socket.subprotocol == V1, began)
            try:
                code, reason = await self.serve(socket, clock)
            finally:
                session, self.session = self.session, None
            self.close_code = code
            await socket.close(code if code != 1006 else 1000, reason)
        return self.after(session, code, clock)

    async def serve(self, socket, clock):
        """Runs the session; the code and reason of its end."""
        session = self.session
        back_to_delta = self.v1_until if session.v1 and self.mode == "delta" else None
        reading = None
        try:
            while True:
                if self.stopping:
                    return await self.leave(socket, 1000, "stopped")
                if back_to_delta and clock() >= back_to_delta:
                    return await self.leave(socket, 1000, "delta again")
                await self.flush(socket)
                if session.goodbye:
                    return session.goodbye["code"], ""
                reading = reading or asyncio.ensure_future(socket.recv())
                waking = asyncio.ensure_future(self.woken.wait())
                await asyncio.wait({reading, waking}, timeout=0.25,
                                   return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
                self.woken.clear()
                session.tick(clock())
                if reading.done():
                    message, reading = reading.result(), None
                    session.take(message)
                if session.down:
                    self.failures, self.close_code = 0, 0
        except wire.Broken as broken:
            return await self.leave(socket, broken.code, str(broken))
        except websockets.ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else 1006), ""
        finally:
            if reading:
                reading.cancel()

    async def flush(self, socket):
        packets, self.session.out = self.session.out, []
        if packets:
            await socket.send(b"".join(packets))

    async def leave(self, socket, code, reason):
        """SES-10: Goodbye, then the close frame."""
        reason = self.session.end(code, reason)
        await self.flush(socket)
        return code, reason

    def after(self, session, code, clock):
        goodbye = session.goodbye or {}
        if goodbye.get("retry_after_ms"):
            self.not_before = clock() + goodbye["retry_after_ms"] / 1000
        if goodbye.get("fallback_ttl_ms"):
            self.v1_until = clock() + min(goodbye["fallback_ttl_ms"] / 1000, FALLBACK_MAX_S)
        if code == FINAL:
            self.state = "superseded"
        elif self.stopping:
            self.state = "closed"
        return code in SLOW
