-- People who charge. A driver's id is a pseudonym; what names the person is in person_field,
-- AES-256-GCM under a key of that person and data class, which lives in persons.db alone.

CREATE TABLE driver (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    language        TEXT    NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    retired_at_ms   INTEGER
) STRICT;

CREATE TABLE person_field (
    person_id       TEXT NOT NULL REFERENCES driver (id),
    field           TEXT NOT NULL,
    data_class      TEXT NOT NULL,
    sealed          BLOB NOT NULL CHECK (length(sealed) >= 28),  -- nonce 12, text, tag 16
    PRIMARY KEY (person_id, field)
) STRICT, WITHOUT ROWID;
