#!/usr/bin/env python3
"""Runs the conformance suite against a hub process over real TLS, or against an SDK's adapter, and
judges its JSON report.

usage: target_run.py --bin DIR (--control rest|command | --sdk COMMAND) [--run RE] [--skip RE]
                     [--modes delta,v1]

With --control a hub is started in a folder of its own, which is removed at the end. Good means:
exit status 0, no case failed, at most one case in twenty skipped, and every variant of the modes
was there. The last line is the suite's own.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
SKIPPED_MAX = 0.05


def quoted(*words):
    return " ".join(shlex.quote(str(word)) for word in words)


class Hub:
    """A hub of its own, and the options that name it as a target."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.process("start")
        self.target = json.loads((folder / "target.json").read_text(encoding="utf-8"))

    def command(self, action):
        return [sys.executable, "-B", EXAMPLES / "hub_process.py", action, "--dir", self.folder,
                "--bin", self.programs]

    def process(self, action):
        subprocess.run(self.command(action), check=True)

    def options(self, control):
        mint = quoted(self.programs / "zonesync-hub", "token", "zone", "--dir", self.folder,
                      "--name") + " {zone}"
        restart = quoted(*self.command("restart"))
        options = ["--target", self.target["sync_url"], "--ca", self.folder / "tls/ca.pem"]
        admin = self.folder / "admin.token"
        if control == "rest":
            return options + ["--mint-token", mint, "--restart-command", restart, "--hub-control",
                              "rest:" + self.target["api_url"], "--admin-token-file", admin]
        return options + ["--hub-control", quoted(
            sys.executable, "-B", EXAMPLES / "hub_control.py", "--api", self.target["api_url"],
            "--ca", self.folder / "tls/ca.pem", "--token-file", admin, "--mint", mint,
            "--restart", restart)]


def run_suite(options, subject, folder):
    report = folder / "report.json"
    command = [options.bin / "zonesync-conform", "run", *subject, "--report", "json", "--out",
               report, "--verbose"]
    for name in ("run", "skip"):
        if getattr(options, name):
            command += ["--" + name, getattr(options, name)]
    modes = options.modes.split(",")
    command += ["--mode", "both" if len(modes) == 2 else modes[0]]
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE)
    return done, json.loads(report.read_text(encoding="utf-8")) if report.exists() else None


def faults_of(done, report, modes):
    if report is None:
        return [f"no report; exit status {done.returncode}"]
    faults = []
    if done.returncode != 0:
        faults.append(f"exit status {done.returncode}")
    total = report["passed"] + report["failed"] + report["skipped"]
    if report["failed"] or not total:
        faults.append(f"{report['failed']} of {total} cases failed")
    if report["skipped"] > SKIPPED_MAX * total:
        faults.append(f"{report['skipped']} of {total} cases skipped")
    seen = {variant["mode"] for case in report["cases"] for variant in case["variants"]
            if variant["outcome"] == "passed"}
    faults += [f"nothing ran in {mode}" for mode in modes if mode not in seen]
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--control", choices=("rest", "command"))
    chosen.add_argument("--sdk")
    parser.add_argument("--run")
    parser.add_argument("--skip")
    parser.add_argument("--modes", default="delta,v1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="conform-target-") as name:
        folder = pathlib.Path(name)
        hub = Hub(options.bin.resolve(), folder / "hub") if options.control else None
        try:
            subject = hub.options(options.control) if hub else ["--sdk", options.sdk]
            done, report = run_suite(options, subject, folder)
        finally:
            if hub:
                hub.process("stop")
    faults = faults_of(done, report, options.modes.split(","))
    for fault in faults:
        print("target_run: " + fault)
    for case in report["cases"] if faults and report else ():
        for variant in case["variants"]:
            if variant["outcome"] == "failed":
                print(f"{case['id']} {variant['mode']}: {variant['text']}")
                print(variant.get("transcript", ""))
    print(done.stdout.strip())
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
