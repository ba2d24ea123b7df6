#!/usr/bin/env python3
"""Sums up ctest's JUnit reports; the last line is `N passed, N failed[, N skipped]`.

usage: test_summary.py REPORT.xml=CTEST_EXIT_CODE ...

Exit 1 when a case failed, when nothing passed, or when ctest failed without naming a case.
"""

import sys
import xml.etree.ElementTree as ElementTree

# The only ways in which a case says itself that it was skipped. Everything else that did not run
# (a missing program, a failed fixture) counts as failed.
SKIP_MESSAGES = ("SKIP_REGULAR_EXPRESSION_MATCHED", "SKIP_RETURN_CODE=")


def outcome(case):
    """'passed', 'failed' or 'skipped' for one <testcase> element."""
    status = case.get("status")
    if status == "run" and case.find("failure") is None:
        return "passed"
    if status == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if skipped is not None and (skipped.get("message") or "").startswith(SKIP_MESSAGES):
        return "skipped"
    return "failed"


def read_report(path, exit_code, counts):
    """Adds one report to `counts`; returns the names of its failed cases."""
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        cases = []
        exit_code = exit_code or 1
        print(f"{path}: no readable report ({error})")
    failed = []
    for case in cases:
        result = outcome(case)
        counts[result] += 1
        if result == "failed":
            failed.append(case.get("name"))
    if exit_code != 0 and not failed:
        failed.append(f"(ctest exited with {exit_code} without naming a case: {path})")
        counts["failed"] += 1
    return failed


def main(arguments):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failed = []
    for argument in arguments:
        path, _, exit_code = argument.rpartition("=")
        failed += read_report(path, int(exit_code), counts)
    for name in failed:
        print(f"failed: {name}")
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    print(line, flush=True)
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
