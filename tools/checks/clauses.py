"""Every clause id that docs/protocol.md defines is named by at least one test or conformance case,
or listed with a reason (conformance/suite/untestable.txt), and no conformance case names an id
that the page does not define."""

import re

from . import source

_DEFINED = re.compile(r"^\s*- \*\*([A-Z][A-Z0-9]*-[0-9]+)\*\*", re.MULTILINE)
_NAMED = re.compile(r"\b[A-Z][A-Z0-9]*-[0-9]+\b")
_QUOTED = re.compile(r'"((?:SES|FLOW|WIRE|CON|V1|DIG|VIEW)-[0-9]+)"')
_PAGE = "docs/protocol.md"
_CASES = ("conformance", "suite")


def _is_case(path):
    return path.parts[:2] == _CASES and path.suffix == ".cpp"


def _is_test(path):
    listed = path.parts == _CASES + ("untestable.txt",)   # with a reason
    return path.name.endswith(("_test.cpp", "_test.py")) or listed or _is_case(path)


def run(root):
    if not (root / _PAGE).is_file():
        return [f"{_PAGE}: missing"]
    defined = _DEFINED.findall(source.read(root, _PAGE))
    findings = [f"{_PAGE}: clause {each} is defined twice"
                for each in sorted({each for each in defined if defined.count(each) > 1})]
    named = set()
    for path in source.walk(root, source.CODE_FOLDERS + ("tools",)):
        if not _is_test(path):
            continue
        text = source.read(root, path)
        named.update(_NAMED.findall(text))
        if _is_case(path):
            findings += [f"{path}: names {each}, which {_PAGE} does not define"
                         for each in sorted(set(_QUOTED.findall(text)) - set(defined))]
    findings += [f"{_PAGE}: no test or conformance case names {each}"
                 for each in defined if each not in named]
    return findings


CLEAN = {_PAGE: "- **SES-01** First.\n- **FLOW-02** Second.\n",
         "protocol/core/tests/a_test.cpp": "// SES-01\n",
         "conformance/suite/cases/b.cpp": '{"FLOW-02"}\n'}
PLANTED = [
    (_PAGE, "- **SES-01** First.\n- **FLOW-02** Second.\n- **FLOW-03** Third.\n",
     "no test or conformance case names FLOW-03"),
    (_PAGE, "- **SES-01** First.\n- **SES-01** Second.\n", "SES-01 is defined twice"),
    ("conformance/suite/cases/c.cpp", '{"FLOW-99"}\n', "names FLOW-99"),
]
