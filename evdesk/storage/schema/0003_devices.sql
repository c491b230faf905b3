-- Devices, charging points made of them, and the journal of readings.

CREATE TABLE meter (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL CHECK (name <> ''),
    profile         TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    unit            INTEGER NOT NULL,
    phases          TEXT    NOT NULL,
    serial          TEXT,
    interval_ms     INTEGER CHECK (interval_ms > 0),
    role            TEXT    NOT NULL CHECK (role IN ('station', 'grid')),
    created_at_ms   INTEGER NOT NULL,
    removed_at_ms   INTEGER
) STRICT;
CREATE UNIQUE INDEX meter_name ON meter (name) WHERE removed_at_ms IS NULL;

-- What the collector last knew; it alone writes here.
CREATE TABLE meter_status (
    meter_id        INTEGER PRIMARY KEY REFERENCES meter (id),
    state           TEXT    NOT NULL CHECK (state IN ('new', 'ok', 'silent', 'fault')),
    last_read_at_ms INTEGER,
    interval_ms     INTEGER,
    requests        INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    last_error      TEXT
) STRICT;

CREATE TABLE station (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL CHECK (name <> ''),
    energy_meter_id INTEGER NOT NULL REFERENCES meter (id),
    energy_socket   INTEGER NOT NULL CHECK (energy_socket >= 1),
    state_meter_id  INTEGER REFERENCES meter (id),
    state_socket    INTEGER CHECK (state_socket >= 1),
    created_at_ms   INTEGER NOT NULL,
    retired_at_ms   INTEGER,
    CHECK ((state_meter_id IS NULL) = (state_socket IS NULL))
) STRICT;
CREATE UNIQUE INDEX station_name ON station (name) WHERE retired_at_ms IS NULL;

-- From an instant on, whose the sessions without a driver of their own are.
CREATE TABLE station_driver (
    id              INTEGER PRIMARY KEY,
    station_id      INTEGER NOT NULL REFERENCES station (id),
    driver_id       TEXT    REFERENCES driver (id), -- NULL: nobody's from then on
    from_at_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX station_driver_from ON station_driver (station_id, from_at_ms);

CREATE TRIGGER station_driver_no_update BEFORE UPDATE ON station_driver
BEGIN SELECT RAISE(ABORT, 'append-only: station_driver'); END;
CREATE TRIGGER station_driver_no_delete BEFORE DELETE ON station_driver
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'station_driver')
BEGIN SELECT RAISE(ABORT, 'append-only: station_driver'); END;
CREATE TRIGGER station_driver_no_replace BEFORE INSERT ON station_driver
WHEN EXISTS (SELECT 1 FROM station_driver WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: station_driver'); END;

-- The journal. What was not read is NULL, never 0. import_raw are the register words behind
-- import_wh as they came over the wire. Units: 0.1 W, 1 mA, 0.1 V. (IN over six letters would build
-- a table of them for every row: BETWEEN keeps an insert a fifth cheaper.)
CREATE TABLE reading (
    meter_id        INTEGER NOT NULL REFERENCES meter (id),
    socket          INTEGER NOT NULL CHECK (socket >= 1),
    at_ms           INTEGER NOT NULL,
    import_wh       INTEGER,
    import_raw      BLOB    NOT NULL,
    power_dw        INTEGER,
    current_l1_ma   INTEGER,
    current_l2_ma   INTEGER,
    current_l3_ma   INTEGER,
    voltage_l1_dv   INTEGER,
    voltage_l2_dv   INTEGER,
    voltage_l3_dv   INTEGER,
    pilot           TEXT    CHECK (length(pilot) = 1 AND pilot BETWEEN 'A' AND 'F'),
    PRIMARY KEY (meter_id, socket, at_ms)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reading_no_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
CREATE TRIGGER reading_no_delete BEFORE DELETE ON reading
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'reading')
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
CREATE TRIGGER reading_no_replace BEFORE INSERT ON reading
WHEN EXISTS (SELECT 1 FROM reading
             WHERE meter_id = NEW.meter_id AND socket = NEW.socket AND at_ms = NEW.at_ms)
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
