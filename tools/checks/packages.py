"""Every included system header belongs to a package of tools/dependencies.txt.

The header is looked up in the compiler's own search path and given to `dpkg -S`. Packages that g++
brings itself are listed here. On a machine without dpkg the check is skipped.
"""

import functools
import pathlib
import re
import shutil
import subprocess

from . import source

# What g++ depends on; their headers need no line in the dependency list.
WITH_COMPILER = re.compile(
    r"(libstdc\+\+|libgcc|gcc)-\d+(-dev)?$|libc6-dev$|linux-libc-dev$|libcrypt-dev$")


class Skip(Exception):
    """The check cannot run on this machine."""


@functools.cache
def search_path():
    """The folders in which g++ looks for <...> includes, in its order."""
    listing = subprocess.run(["g++", "-E", "-x", "c++", "-v", "/dev/null"], capture_output=True,
                             text=True, check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    block = listing.stderr.split("#include <...> search starts here:")[1]
    return [pathlib.Path(line.strip()).resolve()
            for line in block.split("End of search list.")[0].splitlines() if line.strip()]


def resolve(header):
    for folder in search_path():
        if (folder / header).is_file():
            return folder / header
    return None


def owners(files):
    """{file: package} for all files that a package owns."""
    if not files:
        return {}
    answer = subprocess.run(["dpkg-query", "-S", *map(str, files)], capture_output=True, text=True,
                            check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    owner = {}
    for line in answer.stdout.splitlines():
        names, _, file = line.partition(": ")
        owner[pathlib.Path(file)] = names.split(",")[0].split(":")[0]
    return owner


def listed_packages(root):
    lines = source.read(root, "tools/dependencies.txt").splitlines()
    return {line.split("#")[0].strip() for line in lines} - {""}


def used_headers(root):
    """{header: first place that includes it}"""
    used = {}
    for path in source.cpp_files(root):
        for line, angled, header in source.includes(source.read(root, path)):
            if angled and not header.startswith("zonesync/"):  # our own public headers
                used.setdefault(header, f"{path}:{line}")
    return used


def run(root):
    if not shutil.which("dpkg-query") or not shutil.which("g++"):
        raise Skip("needs dpkg and g++")
    packages = listed_packages(root)
    used = used_headers(root)
    files = {header: resolve(header) for header in used}
    owner = owners(sorted({file for file in files.values() if file}))
    findings = []
    for header, place in sorted(used.items()):
        package = owner.get(files[header])
        if files[header] is None:
            findings.append(f"{place}: <{header}> is found in no system folder")
        elif package is None:
            findings.append(f"{place}: <{header}> belongs to no package ({files[header]})")
        elif package not in packages and not WITH_COMPILER.match(package):
            findings.append(f"{place}: <{header}> belongs to {package}: add that package to "
                            f"tools/dependencies.txt")
    return findings


CLEAN = {"tools/dependencies.txt": "# none\nlibfmt-dev   # text\n",
         "protocol/model/ok.cpp": "#include <fmt/format.h>\n#include <vector>\n"
                                  "#include <sys/types.h>\n#include <linux/types.h>\n"}
PLANTED = [
    ("protocol/model/bad.cpp", "#include <xxhash.h>\n", "belongs to libxxhash-dev"),
    ("protocol/model/bad.cpp", "#include <no/such/header.h>\n", "found in no system folder"),
]
