#!/usr/bin/env python3
"""Independent expectation for fixture_test: reads the YAML with another parser than the product's
and prints, as JSON, what each document is and how many differing versions each key has.

usage: expected_history.py FILE ZONE_TYPE...    documents of a ZONE_TYPE belong to zones
output: {"documents": N, "zone_file": "...", "versions": {"Type/mesh/name": N}}
"""
import json
import re
import sys

import yaml

META = {"type", "mesh", "name", "labels", "creationTime", "modificationTime", "kri"}
GLOBAL_SCOPE = {"Mesh", "Zone", "ZoneIngress", "ZoneEgress", "Config", "GlobalSecret"}


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core schema for what the file holds: no dates, yes/no stay words."""


CoreLoader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers
          if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:bool",
                                 re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"),
                                 list("tTfF"))


def content(document):
    """What makes two versions of a key differ."""
    rest = {k: v for k, v in document.items() if k not in META}
    if set(rest) <= {"spec", "status"}:
        spec, status = rest.get("spec"), rest.get("status")
    else:
        spec, status = rest, None
    return json.dumps([spec or {}, status, document.get("labels") or {}], sort_keys=True)


def main():
    path, zone_types = sys.argv[1], set(sys.argv[2:])
    texts = [t for t in re.split(r"^---\s*$", open(path).read(), flags=re.M)]
    versions, zone_texts, documents = {}, [], 0
    last = {}
    for text in texts:
        document = yaml.load(text, CoreLoader)
        if document is None:
            continue
        documents += 1
        kind = document["type"]
        if kind in zone_types:
            zone_texts.append(text)
        if kind in GLOBAL_SCOPE and document.get("mesh"):
            continue  # refused: a global-scoped type names a mesh
        mesh = "" if kind in GLOBAL_SCOPE else document.get("mesh", "default")
        key = f"{kind}/{mesh}/{document['name']}"
        now = content(document)
        if last.get(key) != now:
            versions[key] = versions.get(key, 0) + 1
        last[key] = now
    print(json.dumps({"documents": documents, "zone_file": "---".join([""] + zone_texts),
                      "versions": versions}))


if __name__ == "__main__":
    main()
