"""What services need from the outside, as Protocols: adapters implement them, tests fake them."""

from evdesk.ports.database import (
    Accounts,
    Audit,
    CollectorRows,
    CollectorState,
    Drivers,
    Invoices,
    Meters,
    SiteRows,
    Stations,
    Store,
    Tariffs,
    Unit,
)
from evdesk.ports.devices import (
    Devices,
    MeterReader,
    ProbedValue,
    ProfileInfo,
)
from evdesk.ports.documents import (
    Cell,
    InvoiceRenderer,
    Table,
    TableWriter,
)
from evdesk.ports.readings import (
    Curve,
    Readings,
)
from evdesk.ports.reconciliation import (
    Decisions,
    Explanation,
    Explanations,
)
from evdesk.ports.sessions import (
    LoggedEvent,
    SessionFilter,
    Sessions,
)
from evdesk.ports.surroundings import (
    Clock,
    Pseudonyms,
)

__all__ = [
    "Accounts",
    "Audit",
    "Cell",
    "Clock",
    "CollectorRows",
    "CollectorState",
    "Curve",
    "Decisions",
    "Devices",
    "Drivers",
    "Explanation",
    "Explanations",
    "InvoiceRenderer",
    "Invoices",
    "LoggedEvent",
    "MeterReader",
    "Meters",
    "ProbedValue",
    "ProfileInfo",
    "Pseudonyms",
    "Readings",
    "SessionFilter",
    "Sessions",
    "SiteRows",
    "Stations",
    "Store",
    "Table",
    "TableWriter",
    "Tariffs",
    "Unit",
]
