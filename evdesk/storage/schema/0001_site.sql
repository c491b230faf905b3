-- The site itself, who opens it, and the small tables that keep its processes in step.
-- Everywhere: instants are integer milliseconds since 1970 UTC (…_at_ms), tables are STRICT.

CREATE TABLE site (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    site_id         TEXT    NOT NULL CHECK (site_id <> ''),
    name            TEXT    NOT NULL,
    tz              TEXT    NOT NULL,
    currency        TEXT    NOT NULL CHECK (length(currency) = 3),
    country         TEXT    NOT NULL,
    language        TEXT    NOT NULL,
    demo            INTEGER NOT NULL CHECK (demo IN (0, 1)),
    created_at_ms   INTEGER NOT NULL
) STRICT;

-- Demo sites only: time moves when every due read is committed.
CREATE TABLE clock (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    stepped_at_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE issuer (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    name            TEXT NOT NULL,
    street          TEXT NOT NULL,
    postcode        TEXT NOT NULL,
    city            TEXT NOT NULL,
    country         TEXT NOT NULL,
    vat_id          TEXT NOT NULL,
    tax_number      TEXT NOT NULL,
    contact         TEXT NOT NULL,
    email           TEXT NOT NULL,
    phone           TEXT NOT NULL,
    iban            TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    name            TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'staff', 'auditor')),
    created_at_ms   INTEGER NOT NULL
) STRICT;

-- The one row through which people and the collector talk.
CREATE TABLE collector (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    pid             INTEGER,
    host            TEXT    NOT NULL,
    since_at_ms     INTEGER,
    heartbeat_at_ms INTEGER,
    stop_requested  INTEGER NOT NULL CHECK (stop_requested IN (0, 1)),
    lateness_ms     INTEGER NOT NULL,
    revision        INTEGER NOT NULL
) STRICT;
INSERT INTO collector VALUES (1, NULL, '', NULL, NULL, 0, 0, 0);

-- What spans two files: begun here, done there, then marked as done; the rest is finished at open.
CREATE TABLE intent (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT    NOT NULL,
    data            TEXT    NOT NULL CHECK (json_valid(data)),
    started_at_ms   INTEGER NOT NULL,
    done_at_ms      INTEGER
) STRICT;
CREATE INDEX intent_open ON intent (id) WHERE done_at_ms IS NULL;

-- The one door through the guards of append-only tables: a row here, added and removed in the
-- transaction of retention or sealing, allows DELETE from the table it names. Nothing allows UPDATE.
CREATE TABLE deletion_permit (
    table_name      TEXT PRIMARY KEY,
    reason          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
