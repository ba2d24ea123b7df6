"""The checks that tools/tidy.py runs. Each module has

run(root) -> list of findings "path:line: what, and what to do",
CLEAN     -> {path: text}, a small tree without findings,
PLANTED   -> [(path, text, part of the finding that must appear)], violations for the self-test.
"""
