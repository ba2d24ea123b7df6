"""Adapter of the tiny SDK for `zonesync-conform run --sdk` (docs/conformance.md): JSON lines.

ZONESYNC_PY_BREAK names one rule to break on purpose (breaks.py).
"""

import asyncio
import json
import os
import sqlite3
import sys

import breaks
from client import Client
from receiver import Busy

CAPABILITIES = ["verdicts", "approve", "restart", "durable", "refuse", "fallback",
                "disk-full", "application-hold"]
MODES = ["delta", "v1"]


class Adapter:
    def __init__(self):
        self.client = self.task = self.request = None
        self.word = ""
        self.busy = False

    def judge(self, change):
        if self.busy:
            raise Busy("the application waits, as the case asked")
        if not self.word or self.word.encode() not in change["spec"]:
            return None
        return {"code": "invalid", "field": "/spec", "text": "refused by the case",
                "retryable": False}

    async def end(self):
        if self.client:
            self.client.stop()
            await self.task

    async def boot(self):
        await self.end()
        r = self.request
        backoff = r.get("backoff", {})
        path = os.path.join(r["store_dir"], "zone.db") if r.get("durable") else ":memory:"
        self.client = Client(
            r["hub_url"], r["zone"], r["token"], r["ca_file"], path, r["types"], r["meshes"],
            self.judge, r["mode"],
            [backoff.get(name, 500) / 1000 for name in ("base_ms", "max_ms", "auth_ms")])
        self.task = asyncio.create_task(self.client.run())

    def fault(self, name, argument):
        replica, write = self.client.replica, self.client.replica.write

        def fails_once(*_):
            replica.write = write
            raise sqlite3.OperationalError("the disk is full, as the case asked")
        if name == "disk-full":
            replica.write = fails_once if argument else write
        elif name == "application-hold":
            self.busy = argument != 0
            if not self.busy:
                self.client.ready()
        else:
            raise ValueError(f"no fault {name}")

    async def handle(self, op, request):
        if op == "capabilities":
            return {"capabilities": CAPABILITIES, "modes": MODES}
        if op == "start":
            self.request = request
            await self.boot()
        elif self.client is None:
            raise ValueError("start comes first")
        elif op == "restart":
            await self.boot()
        elif op == "store":
            return {"resources": [resource(each) for each in self.client.replica.shown()]}
        elif op == "status":
            return self.client.status()
        elif op == "set_verdict":
            self.word = request["word"]
        elif op == "approve_mass_delete":
            self.client.approve_mass_delete()
        elif op == "fault":
            self.fault(request["name"], request["argument"])
        elif op == "stop":
            self.client.stop()
        else:
            raise ValueError(f"this SDK has no {op}")
        return {}


def resource(m):
    return {"type": m["type"], "mesh": m["mesh"], "origin": m["origin"], "name": m["name"],
            "labels": {each["key"]: each["value"] for each in m["labels"]},
            "spec": m["spec"].decode("utf-8"), "status": m["status"].decode("utf-8")}


async def main():
    loop = asyncio.get_running_loop()
    adapter = Adapter()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            answer = {"ok": True, **await adapter.handle(request["op"], request)}
        except Exception as error:  # whatever it is, the suite shows it
            answer = {"ok": False, "error": repr(error)}
        sys.stdout.write(json.dumps({"id": request["id"], **answer}) + "\n")
        sys.stdout.flush()
    await adapter.end()


if __name__ == "__main__":
    breaks.install(os.environ.get("ZONESYNC_PY_BREAK", ""))
    asyncio.run(main())
