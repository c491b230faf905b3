-- Faults, what is known of meters, and mail.

-- What the meter's seal says of it; seen_serial is the first serial number that was ever read.
ALTER TABLE meter ADD COLUMN mid_class TEXT CHECK (mid_class IN ('A', 'B', 'C'));
ALTER TABLE meter ADD COLUMN seal TEXT;
ALTER TABLE meter ADD COLUMN calibrated_until TEXT
    CHECK (calibrated_until IS date(calibrated_until)); -- the last day
ALTER TABLE meter_status ADD COLUMN seen_serial TEXT;

-- A fault is a row when it begins; its end and who has seen it are rows of fault_event.
-- Of one code at one socket, device (socket NULL) or site (both NULL) one is open at most.
CREATE TABLE fault (
    id              INTEGER PRIMARY KEY,
    code            TEXT    NOT NULL CHECK (code <> ''),
    severity        TEXT    NOT NULL CHECK (severity IN ('critical', 'warning', 'info')),
    meter_id        INTEGER REFERENCES meter (id),
    socket          INTEGER CHECK (socket >= 1),
    station_id      INTEGER REFERENCES station (id), -- where that was when it began
    since_at_ms     INTEGER NOT NULL,
    facts           TEXT    NOT NULL CHECK (json_valid(facts)),
    CHECK (socket IS NULL OR meter_id IS NOT NULL)
) STRICT;
CREATE INDEX fault_key ON fault (code, meter_id, socket);
CREATE INDEX fault_since ON fault (since_at_ms);

CREATE TABLE fault_event (
    id              INTEGER PRIMARY KEY,
    fault_id        INTEGER NOT NULL REFERENCES fault (id),
    at_ms           INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('closed', 'acknowledged')),
    actor           TEXT    NOT NULL,
    facts           TEXT    NOT NULL CHECK (json_valid(facts)),
    UNIQUE (fault_id, kind)
) STRICT;

CREATE TRIGGER fault_open_once BEFORE INSERT ON fault
WHEN EXISTS (SELECT 1 FROM fault AS other
             WHERE other.code = NEW.code AND other.meter_id IS NEW.meter_id
               AND other.socket IS NEW.socket
               AND NOT EXISTS (SELECT 1 FROM fault_event
                               WHERE fault_id = other.id AND kind = 'closed'))
BEGIN SELECT RAISE(ABORT, 'a fault like it is open'); END;

CREATE TRIGGER fault_event_in_order BEFORE INSERT ON fault_event
WHEN NEW.kind = 'closed'
 AND NEW.at_ms < (SELECT since_at_ms FROM fault WHERE id = NEW.fault_id)
BEGIN SELECT RAISE(ABORT, 'a fault ends after it began'); END;

CREATE TRIGGER fault_no_update BEFORE UPDATE ON fault
BEGIN SELECT RAISE(ABORT, 'append-only: fault'); END;
CREATE TRIGGER fault_no_delete BEFORE DELETE ON fault
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'fault')
BEGIN SELECT RAISE(ABORT, 'append-only: fault'); END;
CREATE TRIGGER fault_no_replace BEFORE INSERT ON fault
WHEN EXISTS (SELECT 1 FROM fault WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: fault'); END;

CREATE TRIGGER fault_event_no_update BEFORE UPDATE ON fault_event
BEGIN SELECT RAISE(ABORT, 'append-only: fault_event'); END;
CREATE TRIGGER fault_event_no_delete BEFORE DELETE ON fault_event
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'fault_event')
BEGIN SELECT RAISE(ABORT, 'append-only: fault_event'); END;
CREATE TRIGGER fault_event_no_replace BEFORE INSERT ON fault_event
WHEN EXISTS (SELECT 1 FROM fault_event
             WHERE id = NEW.id OR (fault_id = NEW.fault_id AND kind = NEW.kind))
BEGIN SELECT RAISE(ABORT, 'append-only: fault_event'); END;

-- Which mail server sends for the site; the database is encrypted, and so is the password in it.
CREATE TABLE mail_server (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    host            TEXT    NOT NULL CHECK (host <> ''),
    port            INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    security        TEXT    NOT NULL CHECK (security IN ('tls', 'starttls', 'plain')),
    username        TEXT,
    password        BLOB,
    sender          TEXT    NOT NULL,
    recipient       TEXT    NOT NULL, -- who is told of faults
    ca_pem          TEXT
) STRICT;

-- Up to which row faults were told of by mail.
CREATE TABLE told (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    fault_id        INTEGER NOT NULL,
    event_id        INTEGER NOT NULL
) STRICT;

-- Mail to send. 'sending' is written before the first byte goes out, so that a mail whose program
-- died is known to be unclear and not sent twice.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT    NOT NULL CHECK (kind <> ''),
    message_id      TEXT    NOT NULL UNIQUE CHECK (message_id <> ''),
    recipient       TEXT    NOT NULL CHECK (recipient <> ''),
    subject         TEXT    NOT NULL,
    body            TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    state           TEXT    NOT NULL
                    CHECK (state IN ('waiting', 'sending', 'sent', 'unclear', 'failed')),
    attempts        INTEGER NOT NULL,
    next_at_ms      INTEGER NOT NULL, -- sending: when it was begun
    told            TEXT -- what the server said last, or why it was not reached
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at_ms) WHERE state IN ('waiting', 'sending');

CREATE TABLE outbox_attachment (
    outbox_id       INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    media_type      TEXT    NOT NULL,
    content         BLOB    NOT NULL,
    PRIMARY KEY (outbox_id, position)
) STRICT, WITHOUT ROWID;
