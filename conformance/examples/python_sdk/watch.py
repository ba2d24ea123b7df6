"""A zone on the command line: connects to a hub and prints what it holds after every change.

    watch.py wss://127.0.0.1:5685/sync east --token-file east.token --ca hub/tls/ca.pem [--once]
"""

import argparse
import asyncio
import pathlib

from client import Client


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("zone")
    parser.add_argument("--token-file", type=pathlib.Path, required=True)
    parser.add_argument("--ca")
    parser.add_argument("--store", default=":memory:", help="an SQLite file")
    parser.add_argument("--mode", choices=["delta", "v1"], default="delta")
    parser.add_argument("--once", action="store_true", help="end as soon as it is in sync")
    return parser.parse_args()


async def main():
    given = arguments()
    client = Client(given.url, given.zone, given.token_file.read_text(encoding="utf-8").strip(),
                    given.ca, given.store, mode=given.mode)
    running = asyncio.create_task(client.run())
    said = None
    while not running.done():
        now = client.status()
        if now != said:
            said = now
            print(now["state"], now["mode"], "revision", now["revision"], flush=True)
            for each in client.replica.shown():
                print(" ", each["type"], each["mesh"] or "-", each["name"], f"@{each['origin']}",
                      each["spec"].decode("utf-8"), flush=True)
        if given.once and now["state"] == "synced":
            client.stop()
            break
        await asyncio.sleep(0.1)
    await running


if __name__ == "__main__":
    asyncio.run(main())
