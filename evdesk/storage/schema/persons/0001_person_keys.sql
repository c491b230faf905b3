-- One random key a person and data class; destroying a row empties every copy of that class.
-- confirmed is 0 until the transaction in site.db that uses the key is known to be committed.

CREATE TABLE person_key (
    person_id       TEXT    NOT NULL,
    data_class      TEXT    NOT NULL,
    key             BLOB    NOT NULL CHECK (length(key) = 32),
    confirmed       INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (person_id, data_class)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_pending ON person_key (person_id) WHERE confirmed = 0;
