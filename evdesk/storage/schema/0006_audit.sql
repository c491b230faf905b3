-- Who did what, in the order it was committed. The facts stand beside the entry with a salt, so
-- that retention can take them away and leave the entry.

CREATE TABLE audit (
    seq             INTEGER PRIMARY KEY CHECK (seq > 0),
    at_ms           INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    object_type     TEXT    NOT NULL,
    object_ref      TEXT    NOT NULL,
    outcome         TEXT    NOT NULL CHECK (outcome IN ('ok', 'denied', 'failed')),
    reason          TEXT
) STRICT;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit')
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;

CREATE TABLE audit_payload (
    seq             INTEGER PRIMARY KEY REFERENCES audit (seq),
    salt            BLOB    NOT NULL CHECK (length(salt) = 32),
    body            TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TRIGGER audit_payload_no_update BEFORE UPDATE ON audit_payload
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;
CREATE TRIGGER audit_payload_no_delete BEFORE DELETE ON audit_payload
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit_payload')
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;
CREATE TRIGGER audit_payload_no_replace BEFORE INSERT ON audit_payload
WHEN EXISTS (SELECT 1 FROM audit_payload WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;
