#!/usr/bin/env python3
"""A hub-control of `zonesync-conform run --hub-control COMMAND`: JSON lines on stdin and stdout.

usage: hub_control.py --api https://127.0.0.1:5681 --ca FILE --token-file FILE
                      [--mint 'COMMAND with {zone}'] [--restart COMMAND]

It drives our own hub over its REST API, which `--hub-control rest:URL` does too; here it stands as
the pattern for a hub of your own: replace the functions of class Control, keep main(). The
protocol is described in docs/conformance.md, "Adapter of a hub".
"""

import argparse
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

# The types that cases use, by the path of their lists.
LISTS = ("meshtimeouts", "meshretries", "meshservices", "dataplanes", "meshes", "secrets")


def quoted(text):
    return urllib.parse.quote(text, safe="")


def document_of(resource):
    """A resource of the adapter protocol as the API takes it: spec and status are JSON text."""
    document = {"type": resource["type"], "name": resource["name"],
                "labels": resource.get("labels") or {}, "spec": json.loads(resource["spec"])}
    if resource.get("mesh"):
        document["mesh"] = resource["mesh"]
    if resource.get("status"):
        document["status"] = json.loads(resource["status"])
    return document


def resource_of(item):
    """The other way: canonical text, as the hub stores it."""
    def text(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    inner = item["resource"]
    return {"type": inner["type"], "mesh": inner.get("mesh", ""), "origin": item["origin"],
            "name": inner["name"], "labels": inner.get("labels", {}),
            "spec": text(inner.get("spec", {})),
            "status": text(inner["status"]) if "status" in inner else ""}


class Control:
    def __init__(self, options):
        self.options = options
        with open(options.token_file, encoding="utf-8") as file:
            self.token = file.readline().strip()
        self.tls = ssl.create_default_context(cafile=options.ca) if options.ca else None

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.options.api.rstrip("/") + path, method=method)
        request.add_header("Authorization", "Bearer " + self.token)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=30, context=self.tls) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
        return json.loads(text) if text else {}

    # -- the operations -------------------------------------------------------------------------
    def capabilities(self, _request):
        words = ["control", "zones", "approve", "delete-zone", "disable-zone", "zstd", "patch",
                 "repair", "resume"]
        return {"capabilities": words + (["restart"] if self.options.restart else [])}

    def write(self, request):
        operations = []
        for each in request["ops"]:
            resource = each["resource"]
            if each["op"] == "remove":
                key = {name: resource[name] for name in ("type", "mesh", "origin", "name")}
                operations.append({"op": "remove", "key": key})
            else:
                operations.append({"op": "upsert", "resource": document_of(resource)})
        return {"revision": self.call("POST", "/transactions",
                                      {"operations": operations})["revision"]}

    def get_state(self, _request):
        resources = []
        for plural in LISTS:
            offset = ""
            while True:
                page = self.call("GET", f"/{plural}?size=1000" + offset)
                resources += [resource_of(item) for item in page["items"]]
                if not page.get("next"):
                    break
                offset = "&offset=" + quoted(page["next"])
        return {"resources": resources}

    def get_zone(self, request):
        zone = self.call("GET", "/zones/" + quoted(request["zone"]))
        facts = {"connected": zone["connected"], "generation": zone["generation"],
                 "hold": (zone.get("hold") or {}).get("reason", ""), "rejects": zone["rejects"],
                 "mode": zone["mode"], "converged": zone["converged"]}
        if zone.get("revision") is not None:
            facts["acked"] = zone["revision"]
        if zone.get("up_revision") is not None:
            facts["up_revision"] = zone["up_revision"]
        return facts

    def set_zone(self, request):
        path = "/zones/" + quoted(request["zone"])
        if request["command"] == "delete":
            self.call("DELETE", path + "?force=true")
        else:
            self.call("POST", path + "/" + request["command"])
        return {}

    def mint_token(self, request):
        if not self.options.mint:
            raise RuntimeError("no --mint command was given")
        command = self.options.mint.replace("{zone}", request["zone"])
        done = subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True)
        return {"token": done.stdout.splitlines()[0]}

    def restart(self, _request):
        if not self.options.restart:
            raise RuntimeError("no --restart command was given")
        subprocess.run(self.options.restart, shell=True, check=True, stdout=subprocess.DEVNULL)
        return {}


OPERATIONS = ("capabilities", "write", "get_state", "get_zone", "set_zone", "mint_token",
              "restart")


def answer_to(control, request):
    operation = request.get("op")
    if operation not in OPERATIONS:
        return {"ok": False, "error": f"no such op: {operation}"}
    try:
        return {"ok": True, **getattr(control, operation)(request)}
    except Exception as error:  # whatever it is, the suite reports it beside the case
        return {"ok": False, "error": str(error)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--token-file", required=True)
    parser.add_argument("--mint", help="prints a token for {zone}")
    parser.add_argument("--restart", help="restarts the hub and returns when it is ready")
    control = Control(parser.parse_args())
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request.get("id"), **answer_to(control, request)}), flush=True)


if __name__ == "__main__":
    main()
