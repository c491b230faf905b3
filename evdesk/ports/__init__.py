"""What services need from the outside, as Protocols: adapters implement them, tests fake them."""

from evdesk.ports.archive import (
    Archive,
    ArchiveState,
    Drafts,
    HourOfRows,
    Sealed,
    Sealing,
    Thinned,
)
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
from evdesk.ports.device_memory import DeviceMemories
from evdesk.ports.devices import (
    Devices,
    MeterReader,
    ProfileChoice,
    ProfileInfo,
    ProfileOption,
)
from evdesk.ports.documents import (
    Cell,
    InvoiceRenderer,
    Table,
    TableWriter,
)
from evdesk.ports.evidence import (
    Cards,
    Replacements,
)
from evdesk.ports.faults import (
    FaultFilter,
    FaultNews,
    Faults,
)
from evdesk.ports.finding import (
    Candidate,
    Certainty,
    Decided,
    FoundDevice,
    Mark,
    Probe,
    ProbedValue,
    Remark,
    Scan,
    ScanStep,
    ScanWatch,
    SerialPort,
)
from evdesk.ports.mail import (
    Mailer,
    Outbox,
)
from evdesk.ports.readings import (
    Curve,
    Readings,
    TellDamage,
)
from evdesk.ports.reconciliation import (
    Decisions,
    Explanation,
    Explanations,
    Registers,
    Watch,
)
from evdesk.ports.sessions import (
    LoggedEvent,
    SessionFilter,
    Sessions,
)
from evdesk.ports.surroundings import (
    Clock,
    Computer,
    Pseudonyms,
)

__all__ = [
    "Accounts",
    "Archive",
    "ArchiveState",
    "Audit",
    "Candidate",
    "Cards",
    "Cell",
    "Certainty",
    "Clock",
    "CollectorRows",
    "CollectorState",
    "Computer",
    "Curve",
    "Decided",
    "Decisions",
    "DeviceMemories",
    "Devices",
    "Drafts",
    "Drivers",
    "Explanation",
    "Explanations",
    "FaultFilter",
    "FaultNews",
    "Faults",
    "FoundDevice",
    "HourOfRows",
    "InvoiceRenderer",
    "Invoices",
    "LoggedEvent",
    "Mailer",
    "Mark",
    "MeterReader",
    "Meters",
    "Outbox",
    "Probe",
    "ProbedValue",
    "ProfileChoice",
    "ProfileInfo",
    "ProfileOption",
    "Pseudonyms",
    "Readings",
    "Registers",
    "Remark",
    "Replacements",
    "Scan",
    "ScanStep",
    "ScanWatch",
    "Sealed",
    "Sealing",
    "SerialPort",
    "SessionFilter",
    "Sessions",
    "SiteRows",
    "Stations",
    "Store",
    "Table",
    "TableWriter",
    "Tariffs",
    "TellDamage",
    "Thinned",
    "Unit",
    "Watch",
]
