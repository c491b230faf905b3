-- What people decide about sessions once they are measured, and how they explain what a meter
-- counted beside sessions. Measured figures are never touched: a decision is a row of its own.

-- corrected: other registers hold from now on. released: out of review, may be billed.
-- ended: an open session whose device is gone; whoever follows the station ends it.
CREATE TABLE session_decision (
    id                  INTEGER PRIMARY KEY,
    session_id          INTEGER NOT NULL REFERENCES session (id),
    kind                TEXT    NOT NULL CHECK (kind IN ('corrected', 'released', 'ended')),
    at_ms               INTEGER NOT NULL,
    author              TEXT    NOT NULL CHECK (author <> ''),
    reason              TEXT    NOT NULL CHECK (trim(reason) <> ''),
    before_start_wh     INTEGER,
    before_end_wh       INTEGER,
    before_energy_wh    INTEGER,
    start_wh            INTEGER CHECK (start_wh >= 0),
    end_wh              INTEGER CHECK (end_wh >= start_wh),
    CHECK ((kind = 'corrected') = (start_wh IS NOT NULL)),
    CHECK ((kind = 'corrected') = (end_wh IS NOT NULL))
) STRICT;
CREATE INDEX session_decision_session ON session_decision (session_id, kind);

CREATE INDEX session_state ON session (state); -- those in review are counted twice a second

CREATE TRIGGER session_decision_no_update BEFORE UPDATE ON session_decision
BEGIN SELECT RAISE(ABORT, 'append-only: session_decision'); END;
CREATE TRIGGER session_decision_no_delete BEFORE DELETE ON session_decision
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'session_decision')
BEGIN SELECT RAISE(ABORT, 'append-only: session_decision'); END;
CREATE TRIGGER session_decision_no_replace BEFORE INSERT ON session_decision
WHEN EXISTS (SELECT 1 FROM session_decision WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: session_decision'); END;

-- What a bill rests on stays as it was billed.
CREATE TRIGGER session_decision_billed BEFORE INSERT ON session_decision
WHEN EXISTS (SELECT 1 FROM invoice_session WHERE session_id = NEW.session_id)
BEGIN SELECT RAISE(ABORT, 'billed: session'); END;

-- Wh of a meter and a local month that no session, no standby and no gap accounts for, explained.
CREATE TABLE explanation (
    id                  INTEGER PRIMARY KEY,
    meter_id            INTEGER NOT NULL REFERENCES meter (id),
    socket              INTEGER NOT NULL CHECK (socket >= 1),
    month               TEXT    NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]'),
    wh                  INTEGER NOT NULL CHECK (wh <> 0),
    at_ms               INTEGER NOT NULL,
    author              TEXT    NOT NULL CHECK (author <> ''),
    reason              TEXT    NOT NULL CHECK (trim(reason) <> '')
) STRICT;
CREATE INDEX explanation_month ON explanation (month, meter_id, socket);

CREATE TRIGGER explanation_no_update BEFORE UPDATE ON explanation
BEGIN SELECT RAISE(ABORT, 'append-only: explanation'); END;
CREATE TRIGGER explanation_no_delete BEFORE DELETE ON explanation
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'explanation')
BEGIN SELECT RAISE(ABORT, 'append-only: explanation'); END;
CREATE TRIGGER explanation_no_replace BEFORE INSERT ON explanation
WHEN EXISTS (SELECT 1 FROM explanation WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: explanation'); END;
