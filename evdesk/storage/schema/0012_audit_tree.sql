-- The audit log as a Merkle tree (RFC 6962): entry is canonical JSON (RFC 8785), its hash is a leaf,
-- and each entry names the leaf before it. seq counts from 0 without a gap, so that it is the number
-- of the leaf. Entry 0 begins the log and commits to what was there before. What an entry says in
-- detail stands in audit_payload; the entry holds no more of it than HMAC-SHA256 under a salt, so
-- that retention can take salt and body away and the log still holds.

ALTER TABLE audit RENAME TO audit_before;                   -- taken over and dropped by the program
ALTER TABLE audit_payload RENAME TO audit_payload_before;   -- when it writes entry 0
DROP TRIGGER audit_no_update;
DROP TRIGGER audit_no_delete;
DROP TRIGGER audit_no_replace;
DROP TRIGGER audit_payload_no_update;
DROP TRIGGER audit_payload_no_delete;
DROP TRIGGER audit_payload_no_replace;

CREATE TABLE audit (
    seq             INTEGER PRIMARY KEY CHECK (seq >= 0),
    entry           TEXT    NOT NULL CHECK (json_valid(entry)),
    leaf            BLOB    NOT NULL CHECK (length(leaf) = 32),
    at              TEXT    NOT NULL AS (json_extract(entry, '$.at')),
    actor           TEXT    NOT NULL AS (json_extract(entry, '$.actor')),
    action          TEXT    NOT NULL AS (json_extract(entry, '$.action')),
    object_type     TEXT    NOT NULL AS (json_extract(entry, '$.object_type')),
    object_ref      TEXT    NOT NULL AS (json_extract(entry, '$.object_ref')),
    outcome         TEXT    NOT NULL AS (json_extract(entry, '$.outcome'))
                    CHECK (outcome IN ('ok', 'denied', 'failed'))
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
CREATE INDEX audit_object ON audit (object_type, object_ref);

CREATE TABLE audit_payload (
    seq             INTEGER PRIMARY KEY REFERENCES audit (seq),
    salt            BLOB    NOT NULL CHECK (length(salt) = 32),
    body            TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;

-- Inner nodes over complete subtrees: any head, old or new, and any proof is a few lookups away.
CREATE TABLE audit_node (
    level           INTEGER NOT NULL CHECK (level >= 1),
    idx             INTEGER NOT NULL CHECK (idx >= 0),
    hash            BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- Heads signed with the site's key: C2SP tlog-checkpoint.
CREATE TABLE audit_checkpoint (
    id              INTEGER PRIMARY KEY,
    size            INTEGER NOT NULL CHECK (size >= 1),
    at_ms           INTEGER NOT NULL,
    note            TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_checkpoint_size ON audit_checkpoint (size);

-- What a row that evidence rests on looked like when entry seq was written: HMAC-SHA256 over its
-- canonical JSON under a salt of its own. digest NULL: the row was deleted. The newest one holds.
CREATE TABLE row_commit (
    table_name      TEXT    NOT NULL,
    row_key         TEXT    NOT NULL CHECK (json_valid(row_key)),
    seq             INTEGER NOT NULL REFERENCES audit (seq) DEFERRABLE INITIALLY DEFERRED,
    digest          BLOB    CHECK (length(digest) = 32),
    PRIMARY KEY (table_name, row_key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX row_commit_seq ON row_commit (seq);

CREATE TABLE row_salt (
    table_name      TEXT    NOT NULL,
    row_key         TEXT    NOT NULL,
    seq             INTEGER NOT NULL,
    salt            BLOB    NOT NULL CHECK (length(salt) = 32),
    PRIMARY KEY (table_name, row_key, seq),
    FOREIGN KEY (table_name, row_key, seq) REFERENCES row_commit (table_name, row_key, seq)
) STRICT, WITHOUT ROWID;

-- Which rows the open transaction has written; empty between transactions.
CREATE TABLE touched (
    table_name      TEXT    NOT NULL,
    row_key         TEXT    NOT NULL,
    PRIMARY KEY (table_name, row_key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit')
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: audit'); END;

CREATE TRIGGER audit_payload_no_update BEFORE UPDATE ON audit_payload
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;
CREATE TRIGGER audit_payload_no_delete BEFORE DELETE ON audit_payload
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit_payload')
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;
CREATE TRIGGER audit_payload_no_replace BEFORE INSERT ON audit_payload
WHEN EXISTS (SELECT 1 FROM audit_payload WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: audit_payload'); END;

CREATE TRIGGER audit_node_no_update BEFORE UPDATE ON audit_node
BEGIN SELECT RAISE(ABORT, 'append-only: audit_node'); END;
CREATE TRIGGER audit_node_no_delete BEFORE DELETE ON audit_node
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit_node')
BEGIN SELECT RAISE(ABORT, 'append-only: audit_node'); END;
CREATE TRIGGER audit_node_no_replace BEFORE INSERT ON audit_node
WHEN EXISTS (SELECT 1 FROM audit_node WHERE level = NEW.level AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'append-only: audit_node'); END;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'append-only: audit_checkpoint'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'audit_checkpoint')
BEGIN SELECT RAISE(ABORT, 'append-only: audit_checkpoint'); END;
CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: audit_checkpoint'); END;

CREATE TRIGGER row_commit_no_update BEFORE UPDATE ON row_commit
BEGIN SELECT RAISE(ABORT, 'append-only: row_commit'); END;
CREATE TRIGGER row_commit_no_delete BEFORE DELETE ON row_commit
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'row_commit')
BEGIN SELECT RAISE(ABORT, 'append-only: row_commit'); END;
CREATE TRIGGER row_commit_no_replace BEFORE INSERT ON row_commit
WHEN EXISTS (SELECT 1 FROM row_commit WHERE table_name = NEW.table_name AND row_key = NEW.row_key AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: row_commit'); END;

CREATE TRIGGER row_salt_no_update BEFORE UPDATE ON row_salt
BEGIN SELECT RAISE(ABORT, 'append-only: row_salt'); END;
CREATE TRIGGER row_salt_no_delete BEFORE DELETE ON row_salt
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'row_salt')
BEGIN SELECT RAISE(ABORT, 'append-only: row_salt'); END;
CREATE TRIGGER row_salt_no_replace BEFORE INSERT ON row_salt
WHEN EXISTS (SELECT 1 FROM row_salt WHERE table_name = NEW.table_name AND row_key = NEW.row_key AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: row_salt'); END;
