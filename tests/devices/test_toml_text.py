"""The line of every value, whatever TOML allows around it."""

import tomllib

import pytest

from evdesk.devices.toml_text import TomlFile
from evdesk.domain.errors import UserError
from evdesk.settings import PACKAGE
from tests.devices.support import METERS

NASTY = '''# comment = 1
title = "a [[not]] # header" # [[no]]
"quoted key" = 'it"s'
dotted.key.deep = 1
dotted."key".other = [1, [2, 3], # in = 1
  4,
]
at = 2026-03-02 07:40:00+01:00
text = """
fake = 1
[[fake]]
quote "" and \\""" end"""
raw = \'\'\'
also = "fake"\'\'\'
inline = { a = { b = [ { c = 1 }, { c = 2 } ] }, d = "}" }

[table]
x = 1
[table.sub]
x = 2

[[rows]]
n = 0
[rows.child]
n = 0
[[rows.items]]
n = 1
[[rows.items]]
n = 2
[[rows]]
n = 3
  [[rows.items]]
  n = 4
'''
LINES = {
    ("title",): 2,
    ("dotted", "key", "deep"): 4,
    ("dotted", "key", "other"): 5,
    ("dotted", "key", "other", 1, 1): 5,
    ("dotted", "key", "other", 2): 6,
    ("at",): 8,
    ("text",): 9,
    ("raw",): 13,
    ("inline", "a", "b", 1, "c"): 15,
    ("inline", "d"): 15,
    ("table", "x"): 18,
    ("table", "sub", "x"): 20,
    ("rows", 0, "n"): 23,
    ("rows", 0, "child", "n"): 25,
    ("rows", 0, "items", 1, "n"): 29,
    ("rows", 1, "n"): 31,
    ("rows", 1, "items", 0): 32,
    ("rows", 1, "items", 0, "n"): 33,
    ("rows", 1, "items", 0, "missing"): 32,
}


def paths(data, where=()):
    """The path of every value that holds no others."""
    children = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in children:
        if isinstance(value, dict | list):
            yield from paths(value, (*where, key))
        else:
            yield (*where, key)


def test_every_line_is_found_in_a_nasty_text(tmp_path):
    path = tmp_path / "nasty.toml"
    path.write_text(NASTY, encoding="utf-8")
    file = TomlFile(path)
    assert {where: file.line(where) for where in LINES} == LINES


TYPICAL = ["alfen-eve.toml", "finder-7m38.toml", "keba-p30.toml", "mennekes-hcc3.toml"]
OTHERS = sorted({path.name for path in METERS.glob("*.toml")}.difference(TYPICAL))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(PACKAGE.parent / "pyproject.toml", id="pyproject.toml"),
        *[pytest.param(METERS / name, id=name) for name in TYPICAL],
        *[pytest.param(METERS / name, id=name, marks=pytest.mark.slow) for name in OTHERS],
    ],
)
def test_every_value_of_a_real_file_is_on_a_line_that_names_it(path):
    if not path.is_file():
        pytest.skip("needs a checkout")
    text = path.read_text(encoding="utf-8")
    file, lines = TomlFile(path), text.splitlines()
    for where in paths(tomllib.loads(text)):
        if isinstance(where[-1], str):
            assert where[-1] in lines[file.line(where) - 1], where


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ('a = "x\n', 1), ("[a\n", 1), ("a = [1,\n", 2)],
)
def test_what_is_no_toml_is_named_with_its_line(tmp_path, text, line):
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"line {line}: this is not TOML: [A-Z].*[a-z'\"]\\.$"):
        TomlFile(path)


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_bytes(b"a = '\xff'\n")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        TomlFile(path)
