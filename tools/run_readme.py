#!/usr/bin/env python3
"""Executes what a page tells people to type.

usage: run_readme.py [--bin DIR] PAGE.md

All fenced blocks marked "```sh test" of one page run in order in one `bash -e` session, from the
root of the repository, with DIR first in PATH and a new HOME and TMPDIR that are removed at the
end. Background processes of the page are ended with it. Exit status: that of the first command
that failed.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def blocks(page):
    """(first line number, text) of every marked block."""
    found, current, begun = [], None, 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if current is None and line.split() == ["```sh", "test"]:
            current, begun = [], number + 1
        elif current is not None and line.strip() == "```":
            found.append((begun, "\n".join(current)))
            current = None
        elif current is not None:
            current.append(line)
    if current is not None:
        sys.exit(f"{page}:{begun}: block without an end")
    return found


def script(page):
    parts = ["set -e"]
    for line, text in blocks(page):
        parts.append(f"echo '--- {page.name}:{line}' >&2\n{text}")
    return "\n".join(parts) + "\n"


def end_group(group):
    """Ends what the page left running, and waits for it: it writes where the page lived."""
    for number in [signal.SIGTERM] * 200 + [signal.SIGKILL] * 50:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("page", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zonesync-page.") as home:
        environment = dict(os.environ, HOME=home, TMPDIR=home,
                           PATH=f"{options.bin.resolve()}:{os.environ['PATH']}")
        shell = subprocess.Popen(["bash", "-c", script(options.page)], cwd=ROOT, env=environment,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
        code = shell.wait()
        end_group(shell.pid)
    if code != 0:
        print(f"{options.page}: a command failed with status {code}", file=sys.stderr)
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
