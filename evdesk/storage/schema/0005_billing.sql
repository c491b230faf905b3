-- Tariffs and invoices. Amounts are integer minor units; prices and rates are exact decimal text.

CREATE TABLE tariff (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    currency        TEXT    NOT NULL CHECK (length(currency) = 3),
    ocpi            TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL
) STRICT;

CREATE TRIGGER tariff_no_update BEFORE UPDATE ON tariff
BEGIN SELECT RAISE(ABORT, 'append-only: tariff'); END;
CREATE TRIGGER tariff_no_delete BEFORE DELETE ON tariff
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'tariff')
BEGIN SELECT RAISE(ABORT, 'append-only: tariff'); END;
CREATE TRIGGER tariff_no_replace BEFORE INSERT ON tariff
WHEN EXISTS (SELECT 1 FROM tariff WHERE seq = NEW.seq OR id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: tariff'); END;

CREATE TABLE tariff_component (
    tariff_id       TEXT    NOT NULL REFERENCES tariff (id),
    position        INTEGER NOT NULL,
    dimension       TEXT    NOT NULL CHECK (dimension IN ('ENERGY', 'FLAT')),
    price           TEXT    NOT NULL,
    vat_percent     TEXT    NOT NULL,
    PRIMARY KEY (tariff_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tariff_component_no_update BEFORE UPDATE ON tariff_component
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_component'); END;
CREATE TRIGGER tariff_component_no_delete BEFORE DELETE ON tariff_component
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'tariff_component')
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_component'); END;
CREATE TRIGGER tariff_component_no_replace BEFORE INSERT ON tariff_component
WHEN EXISTS (SELECT 1 FROM tariff_component
             WHERE tariff_id = NEW.tariff_id AND position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_component'); END;

-- From an instant on, a tariff holds for a driver, a station or (neither) the whole site.
CREATE TABLE tariff_assignment (
    id              INTEGER PRIMARY KEY,
    tariff_id       TEXT    NOT NULL REFERENCES tariff (id),
    from_at_ms      INTEGER NOT NULL,
    station_id      INTEGER REFERENCES station (id),
    driver_id       TEXT    REFERENCES driver (id)
) STRICT;

CREATE TRIGGER tariff_assignment_no_update BEFORE UPDATE ON tariff_assignment
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_assignment'); END;
CREATE TRIGGER tariff_assignment_no_delete BEFORE DELETE ON tariff_assignment
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'tariff_assignment')
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_assignment'); END;
CREATE TRIGGER tariff_assignment_no_replace BEFORE INSERT ON tariff_assignment
WHEN EXISTS (SELECT 1 FROM tariff_assignment WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: tariff_assignment'); END;

CREATE TABLE invoice_draft (
    id              TEXT    PRIMARY KEY CHECK (id <> ''),
    created_at_ms   INTEGER NOT NULL,
    record          TEXT    NOT NULL CHECK (json_valid(record))
) STRICT, WITHOUT ROWID;

-- An issued invoice: record is the whole of it as canonical JSON, the columns are for lists.
CREATE TABLE invoice (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    number          TEXT    NOT NULL UNIQUE CHECK (number <> ''),
    series          TEXT    NOT NULL,
    serial          INTEGER NOT NULL CHECK (serial >= 1),
    driver_id       TEXT    NOT NULL REFERENCES driver (id),
    issued_at_ms    INTEGER NOT NULL,
    currency        TEXT    NOT NULL CHECK (length(currency) = 3),
    net_minor       INTEGER NOT NULL,
    vat_minor       INTEGER NOT NULL,
    gross_minor     INTEGER NOT NULL CHECK (gross_minor = net_minor + vat_minor),
    record          TEXT    NOT NULL CHECK (json_valid(record)),
    UNIQUE (series, serial)
) STRICT;
CREATE INDEX invoice_driver ON invoice (driver_id, issued_at_ms);

CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice
BEGIN SELECT RAISE(ABORT, 'append-only: invoice'); END;
CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'invoice')
BEGIN SELECT RAISE(ABORT, 'append-only: invoice'); END;
CREATE TRIGGER invoice_no_replace BEFORE INSERT ON invoice
WHEN EXISTS (SELECT 1 FROM invoice
             WHERE seq = NEW.seq OR id = NEW.id OR number = NEW.number
                OR (series = NEW.series AND serial = NEW.serial))
BEGIN SELECT RAISE(ABORT, 'append-only: invoice'); END;

-- A session is billed once: session_id is the key.
CREATE TABLE invoice_session (
    session_id      INTEGER PRIMARY KEY REFERENCES session (id),
    invoice_id      TEXT    NOT NULL REFERENCES invoice (id)
) STRICT;
CREATE INDEX invoice_session_invoice ON invoice_session (invoice_id);

CREATE TRIGGER invoice_session_no_update BEFORE UPDATE ON invoice_session
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_session'); END;
CREATE TRIGGER invoice_session_no_delete BEFORE DELETE ON invoice_session
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'invoice_session')
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_session'); END;
CREATE TRIGGER invoice_session_no_replace BEFORE INSERT ON invoice_session
WHEN EXISTS (SELECT 1 FROM invoice_session WHERE session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'billed: session'); END;

-- What a bill rests on stays as it was billed.
CREATE TRIGGER session_billed BEFORE UPDATE ON session
WHEN EXISTS (SELECT 1 FROM invoice_session WHERE session_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'billed: session'); END;

CREATE TABLE invoice_document (
    seq             INTEGER PRIMARY KEY,
    invoice_id      TEXT    NOT NULL REFERENCES invoice (id),
    kind            TEXT    NOT NULL CHECK (kind IN ('pdf')),
    sha256          BLOB    NOT NULL CHECK (length(sha256) = 32),
    document        BLOB    NOT NULL,
    UNIQUE (invoice_id, kind)
) STRICT;

CREATE TRIGGER invoice_document_no_update BEFORE UPDATE ON invoice_document
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_document'); END;
CREATE TRIGGER invoice_document_no_delete BEFORE DELETE ON invoice_document
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'invoice_document')
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_document'); END;
CREATE TRIGGER invoice_document_no_replace BEFORE INSERT ON invoice_document
WHEN EXISTS (SELECT 1 FROM invoice_document
             WHERE seq = NEW.seq OR (invoice_id = NEW.invoice_id AND kind = NEW.kind))
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_document'); END;

-- States that come after issuing are rows here, never updates.
CREATE TABLE invoice_event (
    id              INTEGER PRIMARY KEY,
    invoice_id      TEXT    NOT NULL REFERENCES invoice (id),
    at_ms           INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    detail          TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX invoice_event_invoice ON invoice_event (invoice_id);

CREATE TRIGGER invoice_event_no_update BEFORE UPDATE ON invoice_event
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_event'); END;
CREATE TRIGGER invoice_event_no_delete BEFORE DELETE ON invoice_event
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'invoice_event')
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_event'); END;
CREATE TRIGGER invoice_event_no_replace BEFORE INSERT ON invoice_event
WHEN EXISTS (SELECT 1 FROM invoice_event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: invoice_event'); END;
