#!/usr/bin/env python3
"""Compares a zone agent's mirror with what the hub's API says the zone must have, byte for byte.

usage: compare_mirror.py --api URL --ca F --token-file F --zone Z --mirror DIR [--json]
                         [--timeout SECONDS]
exit:  0 equal · 1 different · 2 not comparable (no answer, no mirror, wrong token)

Independent of the code under test on purpose: view rules, type directions, canonical JSON and path
encoding are written here a second time, from the documents. Needs a token of an editor or admin:
viewers see no secrets. A hub that changes, or a mirror that is behind, is looked at again until
--timeout (10 seconds) is over.
"""
import argparse
import http.client
import json
import os
import re
import ssl
import sys
import time
import urllib.parse

# Directions of Kuma's types as its documentation states them (2.14; types only 2.5 had included).
TO_ZONES_AND_ACROSS = """MeshAccessLog MeshCircuitBreaker MeshFaultInjection MeshHTTPRoute
    MeshHealthCheck MeshLoadBalancingStrategy MeshMetric MeshPassthrough MeshProxyPatch
    MeshRateLimit MeshRetry MeshTCPRoute MeshTLS MeshTimeout MeshTrace
    MeshTrafficPermission""".split()
TO_ZONES = """HostnameGenerator MeshExternalService MeshGateway MeshIdentity MeshTrust
    MeshOpenTelemetryBackend MeshMultiZoneService MeshGatewayRoute ServiceInsight Mesh Config
    Secret GlobalSecret CircuitBreaker ExternalService FaultInjection HealthCheck ProxyTemplate
    RateLimit Retry Timeout TrafficLog TrafficPermission TrafficRoute TrafficTrace
    VirtualOutbound""".split()
ACROSS = "MeshService MeshZoneAddress ZoneIngress".split()
STAYS = """Dataplane DataplaneInsight Workload ZoneEgress ZoneEgressInsight ZoneIngressInsight
    MeshInsight Zone ZoneInsight""".split()
DIRECTIONS = {**{name: (True, True) for name in TO_ZONES_AND_ACROSS},
              **{name: (True, False) for name in TO_ZONES},
              **{name: (False, True) for name in ACROSS},
              **{name: (False, False) for name in STAYS}}
# Keys of the global side itself.
HOME_SECRET_NAMES = {"admin-user-token", "envoy-admin-ca", "inter-cp-ca", "user-token-revocations"}
HOME_SECRET_PREFIXES = ("user-token-signing-key", "zone-token-signing-key")
HASHED = re.compile(r"~[0-9a-f]{32}\Z")
REPORTED_MAX = 50


class NotComparable(Exception):
    """There is nothing to compare: exit 2."""


# Canonical JSON (RFC 8785; integers exact).

def number_text(number):
    """A double as ECMAScript prints it."""
    if number == 0:
        return "0"
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)  # the value is 0.DIGITS * 10^point
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    sign = "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'-' if point < 1 else '+'}{abs(point - 1)}"


def string_text(text):
    named = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f",
             "\r": "\\r"}
    return '"' + "".join(
        named.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 else c) for c in text) + '"'


def canonical(value):
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    members = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(string_text(k) + ":" + canonical(v) for k, v in members) + "}"


# Paths of a mirror.

def component(name):
    """As (text, whole): the encoded name, or what a hashed one begins with."""
    if name in (".", ".."):
        return name.replace(".", "%2E"), True
    pieces = [chr(b) if re.match(rb"[A-Za-z0-9._-]", bytes([b])) else f"%{b:02X}"
              for b in name.encode()]
    text = "".join(pieces)
    return (text, True) if len(text) <= 200 else (text, False)


def matches(part, name, special=()):
    """Whether a path component stands for `name`."""
    text, whole = component(name)
    if whole:
        return part == (f"%{ord(text[0]):02X}" + text[1:] if text in special else text)
    if not HASHED.search(part):
        return False
    kept = part[:-33]
    return 0 < len(kept) <= 200 and text.startswith(kept)


def path_fits(path, key):
    """Whether `path`, relative to the mirror, is where `key` must stand."""
    kind, mesh, origin, name = key
    parts = path.split("/")
    if len(parts) != 4 or not parts[3].endswith(".json"):
        return False
    mesh_fits = (matches(parts[0], mesh, ("_global", ".cut.json")) if mesh
                 else parts[0] == "_global")
    return (mesh_fits and matches(parts[1], kind) and matches(parts[2], origin)
            and matches(parts[3][:-len(".json")], name))


# What a zone must have.

def stays_home(kind, resource):
    if resource.get("labels", {}).get("kuma.io/kds-sync") == "disabled":
        return True
    name = resource["name"]
    if kind == "Config":
        return name != "kuma-cluster-id"
    return kind == "GlobalSecret" and (
        name in HOME_SECRET_NAMES or name.startswith(HOME_SECRET_PREFIXES))


def belongs(zone, kind, origin, resource, directions, disabled):
    """The view of `zone`: a pure function of the resource, its owner and the type's directions."""
    to_zones, across = directions
    if stays_home(kind, resource):
        return False
    if origin == "global":
        return to_zones
    return across and origin != zone and origin not in disabled


class Api:
    """One keep-alive connection to the hub."""

    def __init__(self, url, ca_file, token_file):
        parts = urllib.parse.urlsplit(url)
        self.prefix = parts.path.rstrip("/")
        self.headers = {"Accept": "application/json"}
        try:
            if token_file:
                with open(token_file, encoding="ascii") as file:
                    self.headers["Authorization"] = "Bearer " + file.read().strip()
            if parts.scheme == "https":
                context = ssl.create_default_context(cafile=ca_file)
                self.connection = http.client.HTTPSConnection(parts.netloc, timeout=30,
                                                              context=context)
            else:
                self.connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        except (OSError, ValueError) as error:
            raise NotComparable(f"cannot use --ca or --token-file: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def get(self, target):
        try:
            self.connection.request("GET", self.prefix + target, headers=self.headers)
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise NotComparable(f"no answer from the hub: {error}") from error
        if response.status != 200:
            said = body[:300].decode(errors="replace")
            raise NotComparable(f"GET {target}: {response.status} {said}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise NotComparable(f"GET {target}: not JSON: {error}") from error

    def pages(self, plural):
        offset = None
        while True:
            query = {"size": "1000", **({"offset": offset} if offset else {})}
            answer = self.get(f"/{urllib.parse.quote(plural, safe='')}?"
                              + urllib.parse.urlencode(query))
            yield from answer["items"]
            offset = answer.get("next")
            if offset is None:
                return


def expected_content(api, zone, findings):
    """{key: canonical bytes} of the zone's view."""
    disabled = {z["name"] for z in api.get("/zones")["items"] if not z.get("enabled", True)}
    expected = {}
    for entry in api.get("/types")["items"]:
        kind = entry["name"]
        said = (entry["global_to_zones"], entry["synced_across_zones"])
        directions = DIRECTIONS.get(kind, said)
        if directions != said:
            findings.append(f"type {kind}: the hub says (to zones, across zones) = {said}, "
                            f"Kuma says {directions}")
        if entry["plural"] == "zones":
            continue  # that path lists zones; the type stays at the hub
        for item in api.pages(entry["plural"]):
            resource, origin = item["resource"], item["origin"]
            if not belongs(zone, kind, origin, resource, directions, disabled):
                continue
            if resource["spec"] == {"redacted": True}:
                raise NotComparable("the hub hides secrets from this token; use an editor's")
            key = (kind, resource.get("mesh", ""), origin, resource["name"])
            expected[key] = canonical(resource).encode()
    return expected


# What the mirror has.

def read_mirror(directory):
    """({path: bytes}, revision) of the cut that `current` names now."""
    cut = os.path.realpath(os.path.join(directory, "current"))
    if not os.path.isdir(cut):
        raise NotComparable(f"no mirror at {directory}: 'current' names no directory")
    files, revision = {}, None
    for folder, _, names in os.walk(cut, followlinks=True):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), cut)
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            if path == ".cut.json":
                revision = json.loads(content)["revision"]
            else:
                files[path] = content
    return files, revision


def key_of(content):
    """The key a file's own content claims; None when it is no resource."""
    try:
        resource = json.loads(content)
        labels = resource["labels"]
        origin = labels.get("kuma.io/zone", "global")
        return (resource["type"], resource.get("mesh", ""), origin, resource["name"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def key_text(key):
    kind, mesh, origin, name = key
    return f"{kind}/{mesh or '-'}/{name}@{origin}"


def differences(expected, files):
    found = []
    seen = set()
    for path, content in sorted(files.items()):
        key = key_of(content)
        if key is None:
            found.append(f"not a resource: {path}")
        elif not path_fits(path, key):
            found.append(f"wrong place: {path} holds {key_text(key)}")
        elif key not in expected:
            found.append(f"extra: {key_text(key)}")
        elif key in seen:
            found.append(f"twice: {key_text(key)}")
        elif content != expected[key]:
            found.append(f"differs: {key_text(key)}: mirror {content[:200]!r}, "
                         f"hub {expected[key][:200]!r}")
        if key is not None:
            seen.add(key)
    found.extend(f"missing: {key_text(key)}" for key in sorted(set(expected) - seen))
    return found


def compare(api, zone, directory):
    """One look: (report, whether hub or mirror was on the move)."""
    findings = []
    head = api.get("/")["head"]
    expected = expected_content(api, zone, findings)
    files, revision = read_mirror(directory)
    moving = api.get("/")["head"] != head or revision is None or revision < head
    findings.extend(differences(expected, files))
    return {"equal": not findings, "resources": len(expected), "files": len(files), "head": head,
            "mirror_revision": revision, "differences": findings}, moving


def compare_until(api, zone, directory, timeout):
    deadline = time.monotonic() + timeout
    while True:
        try:
            report, moving = compare(api, zone, directory)
            if report["equal"] or not moving or time.monotonic() > deadline:
                return report
        except FileNotFoundError:  # the agent dropped the cut while it was read
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--api", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--token-file")
    parser.add_argument("--zone", required=True)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--timeout", type=float, default=10)
    options = parser.parse_args(arguments)
    try:
        with Api(options.api, options.ca, options.token_file) as api:
            report = compare_until(api, options.zone, options.mirror, options.timeout)
    except (NotComparable, OSError, KeyError, TypeError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(report))
    else:
        for line in report["differences"][:REPORTED_MAX]:
            print(line)
        if len(report["differences"]) > REPORTED_MAX:
            print(f"... and {len(report['differences']) - REPORTED_MAX} more")
        if not report["equal"]:
            print(f"mirror at revision {report['mirror_revision']}, hub at {report['head']}")
        print(f"equal: {'true' if report['equal'] else 'false'}, {report['resources']} resources")
    return 0 if report["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
