-- Charging sessions: session is a projection that the collector keeps up to date while a car is
-- plugged in; session_event is the log it can be rebuilt from, and is only ever added to.

CREATE TABLE session (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    station_id          INTEGER NOT NULL REFERENCES station (id),
    driver_id           TEXT    REFERENCES driver (id),
    state               TEXT    NOT NULL CHECK (state IN ('open', 'closed', 'review')),
    plugged_in_at_ms    INTEGER NOT NULL,
    unplugged_at_ms     INTEGER,
    start_wh            INTEGER,
    start_at_ms         INTEGER,
    start_raw           BLOB,
    end_wh              INTEGER,
    end_at_ms           INTEGER,
    end_raw             BLOB,
    energy_wh           INTEGER,
    charging_ms         INTEGER NOT NULL,
    peak_dw             INTEGER,
    flags               TEXT    NOT NULL CHECK (json_valid(flags)),
    CHECK ((state = 'open') = (unplugged_at_ms IS NULL)),
    CHECK ((start_wh IS NULL) = (start_at_ms IS NULL) AND (start_wh IS NULL) = (start_raw IS NULL)),
    CHECK ((end_wh IS NULL) = (end_at_ms IS NULL) AND (end_wh IS NULL) = (end_raw IS NULL))
) STRICT;
CREATE UNIQUE INDEX session_open ON session (station_id) WHERE state = 'open';
CREATE INDEX session_plugged_in ON session (plugged_in_at_ms);
CREATE INDEX session_driver ON session (driver_id, plugged_in_at_ms);

CREATE TRIGGER session_no_delete BEFORE DELETE ON session
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'session')
BEGIN SELECT RAISE(ABORT, 'append-only: session'); END;

CREATE TABLE session_event (
    id                  INTEGER PRIMARY KEY,
    session_id          INTEGER NOT NULL REFERENCES session (id),
    at_ms               INTEGER NOT NULL,
    kind                TEXT    NOT NULL,
    wh                  INTEGER,
    raw                 BLOB    NOT NULL,
    detail              TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX session_event_session ON session_event (session_id);

CREATE TRIGGER session_event_no_update BEFORE UPDATE ON session_event
BEGIN SELECT RAISE(ABORT, 'append-only: session_event'); END;
CREATE TRIGGER session_event_no_delete BEFORE DELETE ON session_event
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'session_event')
BEGIN SELECT RAISE(ABORT, 'append-only: session_event'); END;
CREATE TRIGGER session_event_no_replace BEFORE INSERT ON session_event
WHEN EXISTS (SELECT 1 FROM session_event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: session_event'); END;

-- Where the session engine of each station stands, so that a restart goes on from the last commit.
CREATE TABLE tracker (
    station_id          INTEGER PRIMARY KEY REFERENCES station (id),
    snapshot            TEXT    NOT NULL CHECK (json_valid(snapshot))
) STRICT;
