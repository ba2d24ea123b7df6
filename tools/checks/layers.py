"""Every #include against docs/layers.txt: which module may use which module and which library.

A rule line is `folder: modules | libraries | flags`. Modules are transitive (what an allowed
module may use, is allowed too); libraries are not. A folder without a line of its own belongs to
the nearest listed parent; its `tests/` may use the test libraries besides, and the reference store
`storage/memory` where the module may use `storage`.
"""

import re

from . import source

# Library family by the start of an angled include; the first match wins, the last is the rest.
FAMILIES = [
    ("asio", r"boost/asio"),
    ("beast", r"boost/beast"),
    ("json", r"boost/json"),
    ("url", r"boost/url"),
    ("boost", r"boost/"),
    ("sdk", r"zonesync/"),  # our own public headers, as their users include them
    ("flatbuffers", r"flatbuffers/"),
    ("rocksdb", r"rocksdb/"),
    ("openssl", r"openssl/"),
    ("zstd", r"(zstd|zdict)\w*\.h"),
    ("xxhash", r"xxhash\.h"),
    ("expected", r"tl/"),
    ("yaml", r"yaml-cpp/"),
    ("cli11", r"CLI/"),
    ("spdlog", r"spdlog/"),
    ("fmt", r"fmt/"),
    ("prometheus", r"prometheus/"),
    ("test", r"(gtest|gmock|rapidcheck|benchmark)(/|\.h)"),
    ("threads", r"(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier"
                r"|stop_token)$"),
    ("posix", r".*\.h$"),
    ("std", r"[a-z_0-9]+$"),
]
EVERYWHERE = {"std", "expected", "fmt", "boost"}
# C headers that talk to no operating system.
PLAIN_C = {"assert.h", "stdbool.h", "stddef.h", "stdint.h", "inttypes.h", "limits.h", "string.h",
           "stdlib.h", "stdio.h"}
CLOCK = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)::now\b"
                   r"|\b(random_device|this_thread)\b|\b(clock_gettime|gettimeofday)\b")
WEBSOCKET_UNIT = "protocol/transport/websocket.cpp"


class Rule:
    def __init__(self, modules, libraries, flags):
        self.modules = modules
        self.libraries = libraries
        self.flags = flags


def parse_rules(text):
    rules = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, rest = line.partition(":")
            parts = [set(part.split()) for part in (rest + "||").split("|")]
            rules[folder.strip()] = Rule(*parts[:3])
    return rules


def closure(rules, folder):
    """All modules that `folder` may include, itself among them."""
    reached, waiting = set(), [folder]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += rules[module].modules if module in rules else ()
    return reached


def module_of(rules, path):
    """The listed folder that owns a file, or None."""
    for parent in path.parents:
        if str(parent) in rules:
            return str(parent)
    return None


def family_of(header):
    if header in PLAIN_C:
        return "std"
    for name, pattern in FAMILIES:
        if re.match(pattern, header):
            return name
    return "unknown"


def check_library(rules, module, path, header):
    """The complaint about one angled include, or None."""
    family = family_of(header)
    is_test = "tests" in path.parts
    if family in EVERYWHERE or (is_test and family in ("test", "threads", "posix")):
        return None
    if family == "unknown":
        return "unknown library: add it to FAMILIES in tools/checks/layers.py"
    if family == "beast" and "websocket" in header and str(path) != WEBSOCKET_UNIT:
        return f"Beast's websocket is compiled in {WEBSOCKET_UNIT} only: use its byte stream"
    if family == "beast" and module == "protocol/transport":
        if str(path) != WEBSOCKET_UNIT and not path.stem.endswith("_impl"):
            return f"Beast belongs to {WEBSOCKET_UNIT}, protocol/http and *_impl.cpp only"
    if family in rules[module].libraries:
        return None
    return (f"library '{family}' is not allowed in {module} (docs/layers.txt): move the use to a "
            f"module that owns it")


def check_module(rules, module, allowed, root, path, header):
    """The complaint about one quoted include, or None."""
    target_path = path.parent / header
    target = module_of(rules, type(path)(header))
    if target is None:
        if (root / target_path).is_file():
            return "include from the root of the repository, not relative to this file"
        return f"'{header}' belongs to no module of docs/layers.txt"
    if target not in allowed:
        return f"forbidden edge {module} -> {target} (docs/layers.txt)"
    return None


def run(root):
    rules = parse_rules(source.read(root, "docs/layers.txt"))
    findings = []
    for folder, rule in rules.items():
        for name in sorted(rule.modules - rules.keys()):
            findings.append(f"docs/layers.txt: {folder} names unknown module '{name}'")
    for path in source.cpp_files(root):
        module = module_of(rules, path)
        if module is None:
            findings.append(f"{path}:1: belongs to no module: add a line to docs/layers.txt")
            continue
        findings += check_file(rules, module, root, path)
    return findings


def check_file(rules, module, root, path):
    text = source.read(root, path)
    allowed = closure(rules, module)
    if "tests" in path.parts and "storage" in allowed:
        allowed |= closure(rules, "storage/memory")
    findings = []
    for line, angled, header in source.includes(text):
        if angled:
            problem = check_library(rules, module, path, header)
        else:
            problem = check_module(rules, module, allowed, root, path, header)
        if problem:
            findings.append(f"{path}:{line}: #include of {header}: {problem}")
    if "sans-io" in rules[module].flags and "tests" not in path.parts:
        code = source.strip(text)
        for match in CLOCK.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            findings.append(f"{path}:{line}: {match.group(0)} in a sans-IO module: take time and "
                            f"randomness as arguments")
    return findings


_LAYERS = """
protocol/model: | xxhash | sans-io
protocol/core: protocol/model | | sans-io
protocol/transport: protocol/core | asio beast
storage: protocol/model |
storage/rocksdb: storage | rocksdb threads
server/cli: protocol/core | cli11
"""
CLEAN = {
    "docs/layers.txt": _LAYERS,
    "protocol/model/ids.hpp": "#pragma once\n#include <string>\n#include <xxhash.h>\n",
    "protocol/core/flow.cpp": '#include "protocol/model/ids.hpp"\n#include <vector>\n',
    "protocol/core/tests/flow_test.cpp": '#include <gtest/gtest.h>\n#include <thread>\n',
    "protocol/transport/websocket.cpp": "#include <boost/beast/websocket.hpp>\n",
    "protocol/transport/beast_impl.cpp": "#include <boost/beast/src.hpp>\n",
    "storage/rocksdb/log.cpp": '#include <rocksdb/db.h>\n#include "storage/change_log.hpp"\n',
}
PLANTED = [
    ("protocol/model/bad.cpp", '#include "protocol/core/flow.hpp"\n', "forbidden edge"),
    ("protocol/core/bad.cpp", "#include <boost/asio/io_context.hpp>\n", "'asio' is not allowed"),
    ("protocol/core/bad.cpp", "#include <thread>\n", "'threads' is not allowed"),
    ("protocol/core/bad.cpp", "auto t = std::chrono::steady_clock::now();\n", "sans-IO"),
    ("protocol/core/tests/bad_test.cpp", "#include <rocksdb/db.h>\n", "'rocksdb' is not allowed"),
    ("protocol/transport/bad.cpp", "#include <boost/beast/websocket.hpp>\n", "websocket.cpp only"),
    ("protocol/transport/bad.cpp", "#include <boost/beast/http.hpp>\n", "_impl.cpp only"),
    ("storage/bad.cpp", "#include <rocksdb/db.h>\n", "'rocksdb' is not allowed"),
    ("server/cli/bad.cpp", '#include "storage/change_log.hpp"\n', "forbidden edge"),
    ("server/other/bad.cpp", "\n", "belongs to no module"),
]
