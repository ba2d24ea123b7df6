#!/usr/bin/env python3
"""Starts, restarts and stops a hub of ours in the background, on the ports of its first start.

usage: hub_process.py start|restart|stop --dir DIR [--bin DIR]

`start` makes DIR with `zonesync-hub init` where it is missing, and writes DIR/target.json with
`sync_url`, `api_url` and `pid`. `restart` is what `zonesync-conform run --restart-command` wants:
it returns when the hub is ready again. A stop is SIGTERM.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

DEADLINE_S = 60


def wait(holds, what):
    until = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > until:
            sys.exit(f"hub_process: {what} did not happen in {DEADLINE_S} s")
        time.sleep(0.02)


def alive(pid):
    """A process of ours that ended may still be a zombie of somebody else's."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def address_of(url):
    return url.split("//", 1)[1].split("/", 1)[0]


def start(options):
    folder = options.dir
    program = options.bin / "zonesync-hub" if options.bin else pathlib.Path("zonesync-hub")
    if not (folder / "hub.yaml").exists():
        subprocess.run([program, "init", "--dir", folder], check=True, stdout=subprocess.DEVNULL)
    ready, target = folder / "ready.json", folder / "target.json"
    before = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    ready.unlink(missing_ok=True)
    environment = dict(os.environ, ZONESYNC_LISTEN_METRICS="127.0.0.1:0")
    for name, member in (("ZONESYNC_LISTEN_SYNC", "sync_url"), ("ZONESYNC_LISTEN_API", "api_url")):
        environment[name] = address_of(before[member]) if before else "127.0.0.1:0"
    with open(folder / "hub.log", "ab") as log:
        hub = subprocess.Popen([program, "serve", "--config", folder / "hub.yaml",
                                "--ready-file", ready], stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, env=environment, start_new_session=True)
    wait(lambda: ready.exists() or hub.poll() is not None, "the start")
    if hub.poll() is not None:
        sys.exit(f"hub_process: the hub ended with {hub.returncode}; see {folder}/hub.log")
    facts = json.loads(ready.read_text(encoding="utf-8"))
    target.write_text(json.dumps({"sync_url": facts["sync_url"], "api_url": facts["api_url"],
                                  "pid": hub.pid}) + "\n", encoding="utf-8")


def stop(options):
    pid = json.loads((options.dir / "target.json").read_text(encoding="utf-8"))["pid"]
    if alive(pid):
        os.kill(pid, signal.SIGTERM)
    wait(lambda: not alive(pid), "the end")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("start", "restart", "stop"))
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--bin", type=pathlib.Path)
    options = parser.parse_args()
    if options.action != "start":
        stop(options)
    if options.action != "stop":
        start(options)


if __name__ == "__main__":
    main()
