"""The conformance suite on the tiny SDK, and on the SDK with one rule broken at a time.

    suite_test.py --conform build/release/bin/zonesync-conform [--all | --breaks]

Time is real for an SDK, so cases run side by side: those that wait longest each by itself.
Without --all, mode v1 runs the groups that lists change; with it, both modes run everything.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import breaks

HERE = pathlib.Path(__file__).resolve().parent
SHARDS = 4
# Seconds of real silence, backoff or bulk.
SLOW = ["client.silent-hub", "client.superseded-is-final", "client.backoff-after-503",
        "client.retry-after", "client.slow-regime-after-401", "client.slow-regime-after-4401",
        "client.handshake-timeout", "client.idle-acks", "outbox.idle-mark",
        "ack.no-cursor-before-intent", "ack.credit-violated", "large.eight-mebibytes"]
V1_GROUPS = re.compile(r"(ack|apply|digest|drain|guard|resume|v1|verdict|view)\.")


def zone_cases(conform):
    """{id: the modes it runs in}"""
    listing = subprocess.run([conform, "list"], capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in listing.splitlines()]
    return {each[0]: {"delta", "v1"} if each[2] == "both" else {each[2]}
            for each in words if each[1:2] == ["zone"]}


def run(conform, mode, ids, broken=""):
    """[(id, outcome, text)] of these cases in that mode."""
    command = f"{sys.executable} -B {HERE / 'adapter.py'}"
    pattern = "^(" + "|".join(re.escape(each) for each in ids) + ")$"
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        done = subprocess.run(
            [conform, "run", "--sdk", command, "--mode", mode, "--run", pattern,
             "--report", "json", "--out", str(report)], capture_output=True, text=True,
            check=False, env={**os.environ, "ZONESYNC_PY_BREAK": broken})
        if done.returncode not in (0, 1):
            raise SystemExit(done.stdout + done.stderr)
        cases = json.loads(report.read_text(encoding="utf-8"))["cases"]
    return [(f"{case['id']} ({mode})", variant["outcome"], variant.get("text", ""))
            for case in cases for variant in case["variants"]]


def side_by_side(jobs):
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(lambda job: run(*job), jobs))


def suite(conform, everything):
    modes = zone_cases(conform)
    missing = set(SLOW) - set(modes)
    assert not missing, f"no such case: {missing}"
    jobs = []
    for mode in ("delta", "v1"):
        ids = [each for each in modes if mode in modes[each]
               and (mode == "delta" or everything
                    or (V1_GROUPS.match(each) and each not in SLOW))]
        quick = [each for each in ids if each not in SLOW]
        jobs += [(conform, mode, [each]) for each in ids if each in SLOW]
        jobs += [(conform, mode, quick[at::SHARDS]) for at in range(SHARDS)]
    results = sorted(sum(side_by_side(jobs), []))
    count = {word: 0 for word in ("passed", "failed", "skipped")}
    for case, outcome, text in results:
        count[outcome] += 1
        if outcome != "passed":
            print(f"{outcome}  {case}: {text}")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return count["failed"] == 0 and count["passed"] > 0


def broken_rules(conform):
    """Each break fails its named cases and no other of all those that are named."""
    named = sorted({case for each in breaks.BREAKS.values() for case in each.cases})
    jobs = [(conform, "delta", named, broken) for broken in ["", *breaks.BREAKS]]
    good = True
    for (_, _, _, broken), results in zip(jobs, side_by_side(jobs)):
        expected = {f"{case} (delta)" for case in (breaks.BREAKS[broken].cases if broken else [])}
        failed = {case: text for case, outcome, text in results if outcome != "passed"}
        print(f"{broken or 'unbroken'}: {len(failed)} of {len(results)} cases fail")
        for case in sorted(failed.keys() ^ expected):
            print(f"  {case}: " + ("passes" if case in expected else failed[case]))
            good = False
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--conform", required=True)
    parser.add_argument("--all", action="store_true", help="mode v1 too runs every case")
    parser.add_argument("--breaks", action="store_true", help="only the broken rules")
    given = parser.parse_args()
    if given.breaks:
        return 0 if broken_rules(given.conform) else 1
    return 0 if suite(given.conform, given.all) else 1


if __name__ == "__main__":
    sys.exit(main())
