#!/usr/bin/env python3
"""Tests of tools/compare_mirror.py against a hub that answers from a table."""
import contextlib
import http.server
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import compare_mirror  # noqa: E402


def kind(name, plural, scope="mesh", to_zones=False, across=False):
    return {"name": name, "plural": plural, "scope": scope, "global_to_zones": to_zones,
            "synced_across_zones": across}


def item(type_name, name, origin="global", mesh="default", spec=None, labels=None):
    shown = {"kuma.io/origin": "global", **(labels or {})}
    if origin != "global":
        shown.update({"kuma.io/origin": "zone", "kuma.io/zone": origin})
    resource = {"type": type_name, "name": name, "labels": shown, "spec": spec or {}}
    if mesh:
        resource["mesh"] = mesh
    return {"revision": 1, "origin": origin, "resource": resource}


TYPES = [kind("MeshTimeout", "meshtimeouts", to_zones=True, across=True),
         kind("MeshService", "meshservices", across=True),
         kind("Mesh", "meshes", "global", to_zones=True),
         kind("GlobalSecret", "global-secrets", "global", to_zones=True),
         kind("Config", "configs", "global", to_zones=True),
         kind("Dataplane", "dataplanes"), kind("Zone", "zones", "global")]


class FakeHub:
    """Serves tables over plain loopback HTTP, two items a page."""

    def __init__(self):
        self.items = {entry["plural"]: [] for entry in TYPES}
        self.types = TYPES
        self.zones = [{"name": "east", "enabled": True}, {"name": "west", "enabled": True}]
        self.head = 7
        self.status = 200
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet

            def do_GET(self):
                body = json.dumps(hub.answer(self.path)).encode()
                self.send_response(hub.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path):
        path, _, query = path.partition("?")
        if path == "/":
            return {"head": self.head}
        if path == "/types":
            return {"items": self.types}
        if path == "/zones":
            return {"items": self.zones}
        items = self.items[path[1:]]
        begin = int(query.partition("offset=")[2] or 0)
        more = str(begin + 2) if begin + 2 < len(items) else None
        return {"items": items[begin:begin + 2], "next": more}

    def add(self, *items):
        plurals = {entry["name"]: entry["plural"] for entry in TYPES}
        for entry in items:
            self.items[plurals[entry["resource"]["type"]]].append(entry)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class CompareMirror(unittest.TestCase):
    def setUp(self):
        self.hub = FakeHub()
        self.addCleanup(self.hub.stop)
        self.mirror = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.mirror)
        self.cut = self.mirror / ".cuts" / "7"
        self.cut.mkdir(parents=True)
        (self.cut / ".cut.json").write_text('{"digest":"","era":"","revision":7}')
        (self.mirror / "current").symlink_to(".cuts/7")

    def write(self, path, entry, text=None):
        target = self.cut / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text or compare_mirror.canonical(entry["resource"]), encoding="utf-8")

    def run_tool(self, *more):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = compare_mirror.main(["--api", self.hub.url, "--zone", "east", "--mirror",
                                        str(self.mirror), "--timeout", "0", *more])
        return code, out.getvalue(), err.getvalue()

    def assert_different(self, text):
        code, out, _ = self.run_tool()
        self.assertEqual(code, 1, out)
        self.assertIn(text, out)
        self.assertIn("equal: false", out)

    def test_equal_over_several_pages(self):
        for number in range(5):
            entry = item("MeshTimeout", f"t{number}", spec={"n": number, "f": 1.5, "e": 1e21})
            self.hub.add(entry)
            self.write(f"default/MeshTimeout/global/t{number}.json", entry)
        mesh = item("Mesh", "default", mesh="")
        self.hub.add(mesh)
        self.write("_global/Mesh/global/default.json", mesh)
        self.assertEqual(self.run_tool(), (0, "equal: true, 6 resources\n", ""))
        code, out, _ = self.run_tool("--json")
        self.assertEqual((code, json.loads(out)["equal"]), (0, True))

    def test_only_the_view_of_the_zone_counts(self):
        self.hub.zones.append({"name": "off", "enabled": False})
        foreign = item("MeshService", "s", origin="west")
        self.hub.add(foreign, item("MeshService", "mine", origin="east"),
                     item("MeshService", "disabled", origin="off"),
                     item("Dataplane", "d", origin="west"),
                     item("MeshTimeout", "home", labels={"kuma.io/kds-sync": "disabled"}),
                     item("GlobalSecret", "zone-token-signing-key-1", mesh=""),
                     item("GlobalSecret", "envoy-admin-ca", mesh=""),
                     item("Config", "other", mesh=""))
        config = item("Config", "kuma-cluster-id", mesh="")
        self.hub.add(config)
        self.write("default/MeshService/west/s.json", foreign)
        self.write("_global/Config/global/kuma-cluster-id.json", config)
        self.assertEqual(self.run_tool(), (0, "equal: true, 2 resources\n", ""))

    def test_missing_extra_and_differing(self):
        entry = item("MeshTimeout", "t")
        self.hub.add(entry)
        self.assert_different("missing: MeshTimeout/default/t@global")
        path = "default/MeshTimeout/global/t.json"
        self.write(path, entry, compare_mirror.canonical(entry["resource"]) + "\n")
        self.assert_different("differs: MeshTimeout/default/t@global")
        self.write(path, entry)
        self.assertEqual(self.run_tool()[0], 0)
        own = item("MeshService", "s", origin="east")
        self.hub.add(own)
        self.write("default/MeshService/east/s.json", own)
        self.assert_different("extra: MeshService/default/s@east")

    def test_wrong_place_and_foreign_files(self):
        entry = item("MeshTimeout", "t")
        self.hub.add(entry)
        self.write("default/MeshTimeout/west/t.json", entry)
        self.assert_different("wrong place: default/MeshTimeout/west/t.json")
        (self.cut / "junk").write_text("?")
        self.assert_different("not a resource: junk")

    def test_names_are_encoded_in_paths(self):
        cases = [("a b/ü", "a%20b%2F%C3%BC"), ("..", "%2E%2E"), ("x" * 200, "x" * 200),
                 ("y" * 201, "y" * 160 + "~" + "0123456789abcdef" * 2)]
        for name, part in cases:
            entry = item("MeshTimeout", name)
            self.hub.add(entry)
            self.write(f"default/MeshTimeout/global/{part}.json", entry)
        self.assertEqual(self.run_tool(), (0, "equal: true, 4 resources\n", ""))
        self.assertFalse(compare_mirror.matches("y" * 201, "y" * 201))
        self.assertFalse(compare_mirror.matches("z" * 160 + "~" + "0" * 32, "y" * 201))
        self.assertFalse(compare_mirror.matches("%61", "a"))
        self.assertTrue(compare_mirror.matches("%5Fglobal", "_global", ("_global",)))

    def test_types_that_contradict_the_documents(self):
        self.hub.types = [kind("Dataplane", "dataplanes", to_zones=True)]
        self.assert_different("type Dataplane: the hub says")

    def test_mirror_behind_is_named(self):
        self.hub.head = 9
        self.hub.add(item("MeshTimeout", "t"))
        self.assert_different("mirror at revision 7, hub at 9")

    def test_not_comparable(self):
        self.hub.add(item("GlobalSecret", "s", mesh="", spec={"redacted": True}))
        code, _, err = self.run_tool()
        self.assertEqual(code, 2)
        self.assertIn("hides secrets", err)
        (self.mirror / "current").unlink()
        self.hub.items["global-secrets"].clear()
        code, _, err = self.run_tool()
        self.assertEqual(code, 2)
        self.assertIn("no mirror", err)
        self.hub.status = 401
        self.assertEqual(self.run_tool()[0], 2)
        self.assertEqual(self.run_tool("--token-file", "/does/not/exist")[0], 2)

    def test_canonical_json(self):
        for value, text in [
                (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-1.5, "-1.5"), (1e20, "1" + "0" * 20),
                (1e21, "1e+21"), (1e-6, "0.000001"), (1e-7, "1e-7"), (123456.789, "123456.789"),
                (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
                (18446744073709551615, "18446744073709551615"), (0.1, "0.1"), (12e-10, "1.2e-9"),
                ("\u0001\n\"\\/é", '"\\u0001\\n\\"\\\\/é"'), ([True, None, {}], "[true,null,{}]"),
                ({"\ufb33": 1, "\U0001f600": 2, "a": 3}, '{"a":3,"\U0001f600":2,"\ufb33":1}')]:
            self.assertEqual(compare_mirror.canonical(value), text)


if __name__ == "__main__":
    unittest.main()
