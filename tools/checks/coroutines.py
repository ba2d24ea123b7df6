"""No lambda and no braces inside a co_await expression: g++ 12.2 destroys such temporaries twice or
not at all. Name the object first, then move it into the call.

An expression ends at the `;`, or at the closing parenthesis or comma of what surrounds it.
"""

import re

from . import source

_START = re.compile(r"\bco_await\b")


def expression(code, start):
    """The text after a co_await up to the end of its expression."""
    depth = 0
    for at in range(start, len(code)):
        character = code[at]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if depth < 0:
                return code[start:at]
        elif character in ";}" or (character == "," and depth == 0):
            return code[start:at]
        elif character == "{":
            return code[start:at + 1]
    return code[start:]


def run(root):
    findings = []
    for path in source.cpp_files(root):
        code = source.strip(source.read(root, path))
        for match in _START.finditer(code):
            if "{" in expression(code, match.end()):
                line = code.count("\n", 0, match.start()) + 1
                findings.append(f"{path}:{line}: braces or a lambda inside a co_await expression: "
                                f"name the object first, then move it in")
    return findings


CLEAN = {"protocol/transport/ok.cpp":
         "task f() {\n  auto options = Options{1};\n  if (co_await g(std::move(options))) {\n"
         "    co_await h();  // not {here}\n  }\n}\n"}
PLANTED = [
    ("protocol/transport/braces.cpp", "task f() {\n  co_await g(Options{1});\n}\n", "braces"),
    ("protocol/transport/lambda.cpp",
     "task f() {\n  auto x = co_await g([&](int y) {\n    return y;\n  });\n}\n", "braces"),
]
