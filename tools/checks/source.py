"""Finding source files and blanking out what is not code in them."""

import pathlib
import re
import subprocess

CODE_FOLDERS = ("protocol", "server", "storage", "client-sdk", "conformance")
CPP_SUFFIXES = (".cpp", ".hpp", ".h", ".c")
SKIPPED_FOLDERS = {"build", ".git", ".cache", "node_modules", "dist", "released", "__pycache__"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def walk(root, folders=("",)):
    """All files below the folders, sorted, as paths relative to root; no build output."""
    found = []
    for folder in folders:
        base = root / folder
        if base.is_dir():
            found += (path.relative_to(root) for path in base.rglob("*") if path.is_file())
    return sorted(path for path in found if not SKIPPED_FOLDERS & set(path.parts))


def cpp_files(root):
    """The C and C++ sources of the product, generated ones excepted."""
    return [path for path in walk(root, CODE_FOLDERS)
            if path.suffix in CPP_SUFFIXES and not path.stem.endswith("_generated")]


def tracked_files(root):
    """Files that git tracks; outside a repository all files below root."""
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "-z"]
    try:
        listing = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return walk(root)
    return [pathlib.Path(name) for name in listing.split("\0") if name and (root / name).is_file()]


def read(root, path):
    return (root / path).read_text(encoding="utf-8", errors="replace")


def includes(text):
    """(line number, is angled, path) of every #include outside block comments."""
    for match in INCLUDE.finditer(strip(text, keep_strings=True)):
        yield text.count("\n", 0, match.start()) + 1, match.group(1) == "<", match.group(2)


_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|(?:\b(?:u8|u|U|L))?R"(?P<mark>[^()\\ \n]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def strip(text, keep_strings=False):
    """The text with comments (and literals, unless kept) blanked; line numbers stay the same."""
    def blank(match):
        token = match.group(0)
        if token.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", token)
        return token if keep_strings else '""' + "\n" * token.count("\n")
    return _TOKEN.sub(blank, text)
