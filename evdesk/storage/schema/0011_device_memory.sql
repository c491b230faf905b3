-- What was learned of devices, and decided about them.

-- What a person decided when a device was added, of what its profile leaves open.
CREATE TABLE meter_choice (
    meter_id        INTEGER NOT NULL REFERENCES meter (id),
    key             TEXT    NOT NULL CHECK (key <> ''),
    option          TEXT    NOT NULL CHECK (option <> ''),
    PRIMARY KEY (meter_id, key)
) STRICT, WITHOUT ROWID;
