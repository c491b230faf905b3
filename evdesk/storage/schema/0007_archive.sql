-- The reading archive. The current hours are rows of table reading; an hour that is over is sealed
-- into one segment a meter and socket: compressed columns, a checksum over the exact content, and
-- buckets of power for plots. docs/archive.md tells how to decode a segment without evdesk.

-- Rows by instant first: a commit of many meters writes one page and not one a meter. Quarter hour
-- by quarter hour, so that the copy needs neither a sorter nor pages that are long gone again.
ALTER TABLE reading RENAME TO reading_by_meter;
DROP TRIGGER reading_no_update;
DROP TRIGGER reading_no_delete;
DROP TRIGGER reading_no_replace;

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
    PRIMARY KEY (at_ms, meter_id, socket)
) STRICT, WITHOUT ROWID;

-- When each source was last read: found at once, also where the device has been silent for long.
CREATE TABLE newest_reading (
    meter_id        INTEGER NOT NULL,
    socket          INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    PRIMARY KEY (meter_id, socket)
) STRICT, WITHOUT ROWID;

INSERT INTO newest_reading
    SELECT meter_id, socket, max(at_ms) FROM reading_by_meter GROUP BY meter_id, socket;

INSERT INTO reading
    WITH RECURSIVE
        span (oldest_ms, newest_ms) AS (SELECT min(at_ms), max(at_ms) FROM reading_by_meter),
        quarter (from_ms) AS (
            SELECT oldest_ms FROM span WHERE oldest_ms IS NOT NULL
            UNION ALL
            SELECT from_ms + 900000 FROM quarter, span WHERE from_ms + 900000 <= newest_ms)
    SELECT old.* FROM quarter CROSS JOIN newest_reading AS source CROSS JOIN reading_by_meter AS old
        ON old.meter_id = source.meter_id AND old.socket = source.socket
        AND old.at_ms >= quarter.from_ms AND old.at_ms < quarter.from_ms + 900000;

DROP TABLE reading_by_meter;

CREATE TRIGGER reading_no_update BEFORE UPDATE ON reading
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
CREATE TRIGGER reading_no_delete BEFORE DELETE ON reading
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'reading')
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
CREATE TRIGGER reading_no_replace BEFORE INSERT ON reading
WHEN EXISTS (SELECT 1 FROM reading
             WHERE at_ms = NEW.at_ms AND meter_id = NEW.meter_id AND socket = NEW.socket)
BEGIN SELECT RAISE(ABORT, 'append-only: reading'); END;
CREATE TRIGGER reading_is_newest AFTER INSERT ON reading
BEGIN
    INSERT INTO newest_reading VALUES (NEW.meter_id, NEW.socket, NEW.at_ms)
    ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms);
END;

-- sealed_to_ms is the cut: of segments that reach beyond it, only what lies before it counts; what
-- lies behind it is still in table reading. Moving the cut and deleting those rows is one
-- transaction, so that every reading exists once at every moment. readings and bytes are the sums
-- over all segments. thin_after_days NULL: never.
CREATE TABLE archive (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    sealed_to_ms    INTEGER NOT NULL,
    thin_after_days INTEGER CHECK (thin_after_days >= 1),
    readings        INTEGER NOT NULL CHECK (readings >= 0),
    bytes           INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
INSERT INTO archive VALUES (1, 0, 90, 0, 0);

CREATE TRIGGER archive_no_unsealing BEFORE UPDATE OF sealed_to_ms ON archive
WHEN NEW.sealed_to_ms < OLD.sealed_to_ms
BEGIN SELECT RAISE(ABORT, 'append-only: archive'); END;

CREATE TABLE segment_data (
    id              INTEGER PRIMARY KEY,
    curve           BLOB    NOT NULL,  -- instants and power
    register        BLOB    NOT NULL,  -- lifetime registers with their raw words
    rest            BLOB    NOT NULL   -- currents, voltages, pilot
) STRICT;

CREATE TRIGGER segment_data_no_update BEFORE UPDATE ON segment_data
BEGIN SELECT RAISE(ABORT, 'append-only: segment_data'); END;
CREATE TRIGGER segment_data_no_delete BEFORE DELETE ON segment_data
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'segment_data')
BEGIN SELECT RAISE(ABORT, 'append-only: segment_data'); END;
CREATE TRIGGER segment_data_no_replace BEFORE INSERT ON segment_data
WHEN EXISTS (SELECT 1 FROM segment_data WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: segment_data'); END;

-- bucket_ms 60000: every reading is kept. 900000: thinned to quarter hours. A part above 1 holds
-- readings that came after the hour had been sealed. power_… are those of all readings sealed here,
-- also where they were thinned out since.
CREATE TABLE segment (
    meter_id        INTEGER NOT NULL REFERENCES meter (id),
    socket          INTEGER NOT NULL CHECK (socket >= 1),
    from_ms         INTEGER NOT NULL,
    part            INTEGER NOT NULL CHECK (part >= 1),
    until_ms        INTEGER NOT NULL CHECK (until_ms > from_ms),
    bucket_ms       INTEGER NOT NULL CHECK (bucket_ms IN (60000, 900000)),
    readings        INTEGER NOT NULL CHECK (readings >= 1),
    first_ms        INTEGER NOT NULL CHECK (first_ms >= from_ms),
    last_ms         INTEGER NOT NULL CHECK (last_ms >= first_ms AND last_ms < until_ms),
    power_readings  INTEGER NOT NULL CHECK (power_readings >= 0),
    power_min_dw    INTEGER,
    power_max_dw    INTEGER,
    power_sum_dw    INTEGER,
    bytes           INTEGER NOT NULL CHECK (bytes >= 0),
    curve_digest    BLOB    NOT NULL CHECK (length(curve_digest) = 32),
    register_digest BLOB    NOT NULL CHECK (length(register_digest) = 32),
    rest_digest     BLOB    NOT NULL CHECK (length(rest_digest) = 32),
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    buckets         BLOB    NOT NULL,
    data_id         INTEGER NOT NULL REFERENCES segment_data (id),
    PRIMARY KEY (meter_id, socket, from_ms, part)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX segment_of_data ON segment (data_id);
CREATE INDEX segment_from ON segment (bucket_ms, from_ms);

CREATE TRIGGER segment_no_update BEFORE UPDATE ON segment
BEGIN SELECT RAISE(ABORT, 'append-only: segment'); END;
CREATE TRIGGER segment_no_delete BEFORE DELETE ON segment
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'segment')
BEGIN SELECT RAISE(ABORT, 'append-only: segment'); END;
CREATE TRIGGER segment_no_replace BEFORE INSERT ON segment
WHEN EXISTS (SELECT 1 FROM segment
             WHERE (meter_id = NEW.meter_id AND socket = NEW.socket
                    AND from_ms = NEW.from_ms AND part = NEW.part)
                OR data_id = NEW.data_id)
BEGIN SELECT RAISE(ABORT, 'append-only: segment'); END;
CREATE TRIGGER segment_counts AFTER INSERT ON segment
BEGIN
    UPDATE archive SET readings = readings + NEW.readings, bytes = bytes + NEW.bytes;
END;
CREATE TRIGGER segment_no_longer_counts AFTER DELETE ON segment
BEGIN
    UPDATE archive SET readings = readings - OLD.readings, bytes = bytes - OLD.bytes;
END;
