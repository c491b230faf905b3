"""PDF/A-3a and PDF/UA-1 set by typst from templates that only place texts."""

import json
import re
import threading
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typst

FONTS = "invoice/fonts"
STANDARDS: "list[typst.PDFStandard]" = ["a-3a", "ua-1"]
UNSHOWN = re.compile(r'the text `"(.+?)"` could not be displayed')
ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")
MOST_REPLACED = 12  # characters no font has, before everything beyond Latin is named by its code
UNSAFE = re.compile("[^\u0020-\u024f\u2010-\u2044\u2212]")  # all but Latin and its punctuation
REDIRECTING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


class Typesetter:
    """Sets one template; the compiler is kept, so that all but the first take milliseconds.

    ``resources`` is the folder of the files that ship with evdesk, ``template`` a file in it, which
    finds its texts as JSON in ``sys.inputs`` under ``name``. The same texts give the same bytes.
    They reach the template as data: nothing in them is ever run or taken for markup.
    """

    def __init__(self, resources: Path, template: str, name: str) -> None:
        self._folder, self._template, self._name = resources, template, name
        self._lock = threading.Lock()  # a compiler serves one call at a time
        self._compilers: dict[bool, typst.Compiler] = {}

    def pdf(self, texts: object, made_at: int) -> bytes:
        """Return the document; ``made_at`` is in seconds since 1970."""
        with self._lock:
            return self._set(_each_text(texts, _printable), made_at)

    def _set(self, texts: object, made_at: int) -> bytes:
        """Try the fonts that ship, then those of this PC, then name what no font can show."""
        shown, unshown = texts, ""
        for attempt in range(MOST_REPLACED):
            made = self._compile(shown, made_at, system_fonts=attempt > 0)
            if isinstance(made, bytes):
                return made
            if attempt > 0:
                unshown += made
                shown = _each_text(texts, partial(_named, unshown=unshown))
        plain = self._compile(_each_text(texts, _latin_only), made_at, system_fonts=False)
        if isinstance(plain, bytes):
            return plain
        raise AssertionError(f"the fonts that ship lack {plain!r}")

    def _compile(self, texts: object, made_at: int, *, system_fonts: bool) -> bytes | str:
        """Return the document, or the character that no font can show."""
        from typst import TypstError

        compiler = self._compilers.get(system_fonts)
        if compiler is None:
            compiler = self._compilers[system_fonts] = self._compiler(system_fonts=system_fonts)
        try:
            made = compiler.compile(
                sys_inputs={self._name: json.dumps(texts)},
                format="pdf",
                pdf_standards=STANDARDS,
                timestamp=made_at,
            )
        except TypstError as error:
            found = UNSHOWN.search(error.message)
            if found is None:
                raise
            return ESCAPE.sub(lambda code: chr(int(code[1], 16)), found[1])
        if not isinstance(made, bytes):
            raise TypeError("typst gave no document")
        return made

    def _compiler(self, *, system_fonts: bool) -> "typst.Compiler":
        import typst

        fonts = typst.Fonts(
            include_system_fonts=system_fonts, font_paths=[str(self._folder / FONTS)]
        )
        template = self._folder / self._template
        return typst.Compiler(str(template), root=str(self._folder), font_paths=fonts)


def _each_text(tree: object, change: Callable[[str], str]) -> object:
    """Return the tree with every text in it changed; keys stay."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, list):
        return [_each_text(branch, change) for branch in tree]
    if isinstance(tree, dict):
        return {key: _each_text(branch, change) for key, branch in tree.items()}
    return tree


def _printable(text: str) -> str:
    """Return the text without what cannot be printed or would turn the text beside it around."""
    kept = (_visible(char) for char in text)
    return unicodedata.normalize("NFC", "".join(kept))


def _visible(char: str) -> str:
    if char in "\t\r\n\u2028\u2029":
        return " "
    if unicodedata.bidirectional(char) in REDIRECTING:
        return ""
    return "\ufffd" if unicodedata.category(char) in {"Cc", "Cs"} else char


def _named(text: str, unshown: str) -> str:
    return "".join(f"[U+{ord(char):04X}]" if char in unshown else char for char in text)


def _latin_only(text: str) -> str:
    return UNSAFE.sub(lambda char: f"[U+{ord(char[0]):04X}]", text)
