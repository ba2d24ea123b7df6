#!/usr/bin/env python3
"""House rules as tests: layers, sizes, coroutines, packages, words, clauses (see tools/checks).

usage: tidy.py CHECK [--root DIR]       exit 1 and one line per finding when a rule is broken
       tidy.py CHECK --self-test        plants violations; exit 1 when one is not reported
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from checks import clauses, coroutines, layers, packages, sizes, words

CHECKS = {"layers": layers, "sizes": sizes, "coroutines": coroutines, "packages": packages,
          "words": words, "clauses": clauses}
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def write_tree(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def run_here(name, root):
    """Runs this very program as the build does; returns (exit code, output)."""
    result = subprocess.run([sys.executable, __file__, name, "--root", str(root)],
                            capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def self_test(name):
    """The check passes a clean tree and fails for every planted violation."""
    check = CHECKS[name]
    problems = []
    for path, text, expected in [("", "", None), *check.PLANTED]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            write_tree(root, check.CLEAN)
            if expected is not None:
                write_tree(root, {path: text})
            code, output = run_here(name, root)
        if code == SKIPPED:
            print(output)
            return SKIPPED
        if expected is None and code != 0:
            problems.append(f"clean tree refused (exit {code}):\n{output}")
        elif expected is not None and (code != 1 or expected not in output):
            problems.append(f"planted '{expected}' in {path} not reported (exit {code}):\n{output}")
    print("\n".join(problems) or f"{name}: {len(check.PLANTED)} planted violations found")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=sorted(CHECKS))
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test(options.check)
    try:
        findings = CHECKS[options.check].run(options.root.resolve())
    except packages.Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    for finding in findings:
        print(finding)
    print(f"{options.check}: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
