"""Many rows at once as columns: the numbers come as one text a column, which numpy reads.

That takes half the time of fetching a Python object for each value, and a quarter for few columns.
"""

from collections.abc import Sequence

import numpy as np

from evdesk.storage.columns import NUMBERS, Column, Columns, Ints, Raws
from evdesk.storage.connection import Connection, Values

PILOT = "unicode(pilot)"
RAW_LENGTH = "length(import_raw)"
ALL = tuple(PILOT if name == "pilot" else name for name in NUMBERS)


def read_integers(
    db: Connection, names: Sequence[str], rows: str, values: Values
) -> dict[str, Column]:
    """Return integer columns of the rows that ``rows`` (FROM …) gives, all in the same order."""
    return _read(db, names, "NULL", rows, values)[0]


def read_rows(db: Connection, rows: str, values: Values) -> tuple[Ints, Columns]:
    """Return meter and socket (two rows) and all columns of readings."""
    names = ("meter_id", "socket", "at_ms", RAW_LENGTH, *ALL)
    found, raws = _read(db, names, "group_concat(hex(import_raw), '')", rows, values)
    columns = Columns(
        found["at_ms"].values,
        {name: found[asked] for name, asked in zip(NUMBERS, ALL, strict=True)},
        Raws.of_content(found[RAW_LENGTH].values, bytes.fromhex(raws)),
    )
    return np.array([found["meter_id"].values, found["socket"].values]), columns


def _read(
    db: Connection, names: Sequence[str], text: str, rows: str, values: Values
) -> tuple[dict[str, Column], str]:
    asked = ", ".join(f"count({name}), group_concat({name})" for name in names)
    count, other, *found = db.one(f"SELECT count(*), {text}, {asked} {rows}", values) or (0, "")
    known = list(zip(names, found[::2], found[1::2], strict=True))
    masks = _masks(db, [name for name, n, _ in known if 0 < n < count], rows, values)
    columns = {}
    for name, present, numbers in known:
        mask = masks.get(name, np.full(count, present > 0))
        whole = np.zeros(count, np.int64)
        whole[mask] = _integers(numbers)
        columns[name] = Column(mask, whole)
    return columns, other or ""


def _masks(
    db: Connection, names: Sequence[str], rows: str, values: Values
) -> dict[str, np.ndarray]:
    """Return where these columns are not NULL."""
    if not names:
        return {}
    asked = ", ".join(f"group_concat({name} IS NOT NULL)" for name in names)
    found = db.one(f"SELECT {asked} {rows}", values) or ()
    return {name: _integers(text) > 0 for name, text in zip(names, found, strict=True)}


def _integers(text: str | None) -> Ints:
    return np.fromstring(text or "", np.int64, sep=",")
