"""Deliberate bugs stay out of what is shipped: no symbol or string of protocol/model/defect.hpp.

usage: no_defects.py [--with PROGRAM] PROGRAM...

PROGRAM must not mention the namespace of the marks; the one after --with is built with them and
must, or this check looks for the wrong name.
"""
import argparse
import pathlib
import sys

# The namespace, as it stands in mangled names and in probes' tables.
MARKS = (b"8zonesync7defects", b"zonesync::defects")


def marked(path):
    data = pathlib.Path(path).read_bytes()
    return [mark.decode() for mark in MARKS if mark in data]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--with", dest="control")
    parser.add_argument("programs", nargs="+")
    args = parser.parse_args()
    if args.control and not marked(args.control):
        sys.exit(f"{args.control} shows no mark: this check looks for the wrong name")
    bad = [(path, marked(path)) for path in args.programs if marked(path)]
    for path, marks in bad:
        print(f"{path}: deliberate bugs are compiled in ({', '.join(marks)}); "
              "link the product's libraries, not their _defects variants", file=sys.stderr)
    print(f"{len(args.programs)} programs without marks" if not bad else "marks found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
