"""No path of anybody's machine in a tracked file: such a file works on that machine only."""

import re

from . import source

# Built from parts, so that this file does not match itself.
_FORBIDDEN = re.compile(r"(?<![\w.$}\])-])/(" + "|".join(("root", "work", r"home/\w+")) + r")/")
_BINARY_SUFFIXES = {".png", ".gz", ".zst", ".bin", ".ico", ".woff2"}


def run(root):
    findings = []
    for path in source.tracked_files(root):
        if path.suffix in _BINARY_SUFFIXES:
            continue
        for number, line in enumerate(source.read(root, path).splitlines(), 1):
            match = _FORBIDDEN.search(line)
            if match:
                findings.append(f"{path}:{number}: path of one machine ({match.group(0)}...): "
                                f"make it relative or an argument")
    return findings


CLEAN = {"docs/a.md": "see build/work/ and https://example.net/root/x and $HOME/work/y\n"}
PLANTED = [("docs/b.md", "run " + "/wo" + "rk/x\n", "path of one machine"),
           ("tools/c.sh", "cd " + "/ho" + "me/someone/zonesync\n", "path of one machine")]
