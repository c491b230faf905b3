-- What was learned of devices, and decided about them.

-- What a person decided when a device was added, of what its profile leaves open.
CREATE TABLE meter_choice (
    meter_id        INTEGER NOT NULL REFERENCES meter (id),
    key             TEXT    NOT NULL CHECK (key <> ''),
    option          TEXT    NOT NULL CHECK (option <> ''),
    PRIMARY KEY (meter_id, key)
) STRICT, WITHOUT ROWID;

-- What the collector learned of a device by asking: the requests that lead to nothing, as JSON. It
-- holds for the device that was there then, and for some weeks; the collector alone writes here.
CREATE TABLE meter_memory (
    meter_id        INTEGER PRIMARY KEY REFERENCES meter (id),
    device          TEXT    NOT NULL CHECK (device <> ''),
    learned_at_ms   INTEGER NOT NULL,
    refusals        TEXT    NOT NULL CHECK (json_valid(refusals))
) STRICT;
