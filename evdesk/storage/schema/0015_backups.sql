-- When backups are made, and where; what a restored site must not do twice.

-- folder NULL: the folder "backups" of the site. watched_at_ms: since when a missing backup counts.
CREATE TABLE backup_schedule (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    state           TEXT    NOT NULL CHECK (state IN ('undecided', 'on', 'off')),
    folder          TEXT    CHECK (folder <> ''),
    at_minute       INTEGER NOT NULL CHECK (at_minute BETWEEN 0 AND 1439), -- of the day at the site
    keep_days       INTEGER NOT NULL CHECK (keep_days >= 1),
    watched_at_ms   INTEGER,
    made_at_ms      INTEGER -- the last one that the collector made
) STRICT;
INSERT INTO backup_schedule VALUES (1, 'undecided', NULL, 180, 30, NULL, NULL);

-- Folders with a copy of the keys of persons: none may be kept for long, or what was erased comes
-- back out of it.
CREATE TABLE backup_place (
    folder          TEXT    PRIMARY KEY CHECK (folder <> ''),
    persons_at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers of invoices that were issued after the backup that this site was restored from: they are
-- somebody's, although the invoices are not here.
CREATE TABLE invoice_floor (
    series          TEXT    PRIMARY KEY CHECK (series <> ''),
    serial          INTEGER NOT NULL CHECK (serial >= 1)
) STRICT, WITHOUT ROWID;

-- The key under which the erasure ledger knows persons. It is here before the first backup is made,
-- so that what was erased later is recognised in any of them.
CREATE TABLE erasure_key (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    key             BLOB    NOT NULL CHECK (length(key) = 32)
) STRICT;
INSERT INTO erasure_key VALUES (1, randomblob(32));

CREATE TRIGGER erasure_key_no_update BEFORE UPDATE ON erasure_key
BEGIN SELECT RAISE(ABORT, 'append-only: erasure_key'); END;
CREATE TRIGGER erasure_key_no_delete BEFORE DELETE ON erasure_key
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'erasure_key')
BEGIN SELECT RAISE(ABORT, 'append-only: erasure_key'); END;
CREATE TRIGGER erasure_key_no_replace BEFORE INSERT ON erasure_key
WHEN EXISTS (SELECT 1 FROM erasure_key WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: erasure_key'); END;
