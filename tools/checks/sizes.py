"""Files of at most 500 lines, lines of at most 100 columns, functions of at most 70 lines, and a
README.md in every module folder that has C++ sources (its parent's may describe a subfolder).

Function length is found by matching braces, without a parser: in code without comments, literals
and preprocessor lines, a brace outside any function opens a function when the text before it, back
to the last `;`, `{` or `}`, ends with `)` once trailing words (const, noexcept, override, final,
mutable, try, &, &&, `-> type`, `requires ...`) are taken off. Braces of member initialisers are
recognised by what follows a constructor's `:`. Everything inside a function counts towards it, the
declaration's lines too. Tables written as initialisers are no functions.
"""

import re

from . import source

MAX_FILE_LINES = 500
MAX_COLUMNS = 100
MAX_FUNCTION_LINES = 70

TEXT_SUFFIXES = source.CPP_SUFFIXES + (".py", ".sh", ".cmake")
TEXT_NAMES = ("CMakeLists.txt", "dev", "clean-root", "run")

_TRAILING = re.compile(
    r"(\s*(\b(const|noexcept|override|final|mutable|try)\b|&&?)"
    r"|\s*->\s*[\w:<>,&*\s()]+|\s*\brequires\b[^;{}]*)\s*$")
_INITIALISERS = re.compile(r"\)\s*(noexcept(\([^()]*\))?\s*)?:(?!:)")
_SCOPE = re.compile(r"^\s*((template\s*<.*>|export|inline|static|const|constexpr|typedef)\s*)*"
                    r"(namespace|class|struct|union|enum|extern)\b", re.DOTALL)


def _is_function(header):
    """Whether the text before an opening brace declares a function."""
    if _SCOPE.match(header) and not header.rstrip().endswith(")"):
        return False
    text = header.rstrip()
    while True:
        shorter = _TRAILING.sub("", text).rstrip()
        if shorter == text:
            break
        text = shorter
    return text.endswith(")")


def _blank_preprocessor(code):
    directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
    return directive.sub(lambda match: "\n" * match.group(0).count("\n"), code)


def functions(text):
    """(first line, last line, name) of every function body, found by the heuristic above."""
    code = _blank_preprocessor(source.strip(text))
    stack = []  # one of 'scope', 'function', 'value' per open brace
    header_start = 0
    prefix = ""  # header text kept across a member initialiser's braces
    begun = 0
    for match in re.finditer(r"[;{}]", code):
        mark, at = match.group(0), match.start()
        inside = "function" in stack
        header = prefix + code[header_start:at]
        if mark == "{":
            kind = "value"
            if not inside:
                member = _INITIALISERS.search(header) and not header.rstrip().endswith(")")
                if not member and _is_function(header):
                    kind = "function"
                elif not member and _SCOPE.match(header):
                    kind = "scope"
                if kind == "function":
                    begun = at - len(code[header_start:at].lstrip()) if not prefix else begun
                    name = " ".join(header.split())[:60]
                elif kind == "value" and not prefix:
                    begun = at - len(code[header_start:at].lstrip())
                prefix = header + "()" if kind == "value" else ""
            stack.append(kind)
            header_start = at + 1
        elif mark == "}":
            kind = stack.pop() if stack else "scope"
            if kind == "function" and "function" not in stack:
                yield code.count("\n", 0, begun) + 1, code.count("\n", 0, at) + 1, name
            header_start = at + 1
            if kind != "value":
                prefix = ""
        else:
            header_start = at + 1
            if not inside and "value" not in stack:
                prefix = ""


def check_cpp(path, text):
    findings = []
    for first, last, name in functions(text):
        lines = last - first + 1
        if lines > MAX_FUNCTION_LINES:
            findings.append(f"{path}:{first}: function of {lines} lines, at most "
                            f"{MAX_FUNCTION_LINES}: split it ({name})")
    return findings


def run(root):
    findings = []
    folders = set()
    for path in source.walk(root):
        if path.suffix not in TEXT_SUFFIXES and path.name not in TEXT_NAMES:
            continue
        if path.stem.endswith("_generated"):
            continue
        text = source.read(root, path)
        lines = text.splitlines()
        if len(lines) > MAX_FILE_LINES:
            findings.append(f"{path}:{len(lines)}: file of {len(lines)} lines, at most "
                            f"{MAX_FILE_LINES}: split it by concept")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                findings.append(f"{path}:{number}: line of {len(line)} columns, at most "
                                f"{MAX_COLUMNS}")
        if path.suffix in source.CPP_SUFFIXES and path.parts[0] in source.CODE_FOLDERS:
            findings += check_cpp(path, text)
            folders.add(path.parent)
    for folder in sorted(folders):
        module = folder.parent if len(folder.parts) > 2 else folder
        described = any((root / place / "README.md").is_file() for place in (folder, module))
        if "tests" not in folder.parts and not described:
            findings.append(f"{folder}: no README.md (purpose, map of files, may depend on)")
    return findings


_README = {"protocol/model/README.md": "# model\n"}
_CONSTRUCTOR = ("Thing::Thing(int a, int b) noexcept\n    : a_{a}, b_(b),\n      c_{1} {\n"
                + "  step();\n" * 60 + "}\n")
_TABLE = "const int table[] = {\n" + "  1,\n" * 80 + "};\n"
CLEAN = {**_README, "protocol/model/ids.cpp":
         "// {\nnamespace a {\nint f(int x) {\n  return '{' + x;\n}\n" + _CONSTRUCTOR + _TABLE
         + "}  // namespace a\n"}
PLANTED = [
    ("protocol/model/long.cpp", "int x;\n" * 501, "file of 501 lines"),
    ("protocol/model/wide.cpp", "// " + "x" * 98 + "\n", "line of 101 columns"),
    ("protocol/model/body.cpp", "namespace a {\nint f(int x) const -> int {\n" + "  g();\n" * 69
     + "}\n}\n", "function of 71 lines"),
    ("protocol/model/made.cpp", _CONSTRUCTOR.replace("{\n  step", "{\n" + "  more();\n" * 10
     + "  step", 1), "function of 74 lines"),
    ("protocol/model/cases.cpp", "TEST(Suite, Case) {\n" + "  if (a) {\n    b();\n  }\n" * 30
     + "}\n", "function of 92 lines"),
    ("protocol/bare/a.cpp", "int x;\n", "no README.md"),
]
