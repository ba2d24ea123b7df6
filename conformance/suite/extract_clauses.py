#!/usr/bin/env python3
"""Turns docs/protocol.md, the only source of clauses, into clauses.json and a C++ table.

usage: extract_clauses.py PROTOCOL.md UNTESTABLE.txt OUT.cpp OUT.json

UNTESTABLE.txt names clauses that cannot be tested from outside, one a line: ID and the reason.
"""

import json
import re
import sys

_CLAUSE = re.compile(r"^\s*- \*\*([A-Z][A-Z0-9]*-[0-9]+)\*\*\s*(.*)$")


def clauses(text):
    """[{id, text}] in the order of the page."""
    found, open_clause = [], None
    for line in text.splitlines():
        match = _CLAUSE.match(line)
        if match:
            open_clause = {"id": match.group(1), "text": match.group(2).strip()}
            found.append(open_clause)
        elif open_clause and line.startswith("  ") and line.strip():
            open_clause["text"] += " " + line.strip()
        else:
            open_clause = None
    ids = [clause["id"] for clause in found]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        sys.exit("clause ids defined twice: " + ", ".join(twice))
    return found


def untestable(text, known):
    reasons = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        name, _, reason = line.partition(" ")
        if name not in known or not reason.strip():
            sys.exit(f"untestable list, line {number}: unknown clause or no reason: {line}")
        reasons[name] = reason.strip()
    return reasons


def literal(text):
    return json.dumps(text, ensure_ascii=True).replace("\\u", "\\u")


def main(argv):
    if len(argv) != 5:
        sys.exit(__doc__)
    with open(argv[1], encoding="utf-8") as page:
        found = clauses(page.read())
    if not found:
        sys.exit(f"{argv[1]}: no clauses found")
    with open(argv[2], encoding="utf-8") as listed:
        reasons = untestable(listed.read(), {clause["id"] for clause in found})
    for clause in found:
        clause["untestable"] = reasons.get(clause["id"], "")
    rows = "".join(
        f"    {{{literal(c['id'])}, {literal(c['text'])}, {literal(c['untestable'])}}},\n"
        for c in found)
    with open(argv[3], "w", encoding="utf-8") as out:
        out.write('// Generated from docs/protocol.md by extract_clauses.py.\n'
                  '#include "conformance/suite/clauses.hpp"\n\n'
                  'namespace zonesync::conform {\nnamespace {\n\n'
                  'const std::vector<Clause> kClauses = {\n' + rows + '};\n\n}  // namespace\n\n'
                  'const std::vector<Clause>& clauses() { return kClauses; }\n\n'
                  '}  // namespace zonesync::conform\n')
    with open(argv[4], "w", encoding="utf-8") as out:
        json.dump(found, out, indent=1, ensure_ascii=False)
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv)
