"""Text that a spreadsheet program might take for a formula (CWE-1236)."""

# What a spreadsheet program may take for the start of a formula (OWASP, CWE-1236, ASVS 1.2.10).
RISKY = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 - the full-width ones are meant
IGNORED = " '\"\u00a0\u3000\ufeff"  # what such a program may strip before it looks


def is_risky(text: str) -> bool:
    """Return whether a spreadsheet program might take the text for a formula."""
    return text[:1] in RISKY or text.lstrip(IGNORED)[:1] in RISKY


def escaped(text: str) -> str:
    """Return the text with an apostrophe before it where it might be taken for a formula."""
    return f"'{text}" if is_risky(text) else text


def unescaped(text: str) -> str:
    """Return what ``escaped`` was given: exactly the one apostrophe that it added goes."""
    return text[1:] if text.startswith("'") and is_risky(text[1:]) else text
