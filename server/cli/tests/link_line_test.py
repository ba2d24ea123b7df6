#!/usr/bin/env python3
"""The link line of `zonesync` holds no store: a laptop needs no RocksDB to talk to a hub.

usage: link_line_test.py BUILD_DIR PROGRAM
"""
import re
import subprocess
import sys

FORBIDDEN = re.compile(r"\S*(?:rocksdb|storage|flowlog|zonesync_hub)\S*", re.I)


def main():
    build, program = sys.argv[1:]
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", program], check=True,
                              capture_output=True, text=True).stdout.splitlines()
    link = commands[-1]
    if program not in link or "libzonesync_http" not in link:
        sys.exit(f"this is not the link line of {program}: {link[:300]}")
    found = FORBIDDEN.findall(link)
    if found:
        sys.exit(f"{program} links {', '.join(found)}; it may depend on text and http only")


if __name__ == "__main__":
    main()
