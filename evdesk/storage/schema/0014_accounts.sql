-- Accounts that come and go. What somebody did outlives their account, so its row is never deleted;
-- a name is free again once its account is removed.

CREATE TABLE account_kept (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    name            TEXT    NOT NULL CHECK (name <> ''),
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'staff', 'auditor')),
    created_at_ms   INTEGER NOT NULL,
    removed_at_ms   INTEGER
) STRICT;
INSERT INTO account_kept SELECT seq, id, name, role, created_at_ms, NULL FROM account;
DROP TABLE account;
ALTER TABLE account_kept RENAME TO account;
CREATE UNIQUE INDEX account_name ON account (name) WHERE removed_at_ms IS NULL;

CREATE TRIGGER account_no_update BEFORE UPDATE ON account
WHEN OLD.removed_at_ms IS NOT NULL OR NEW.removed_at_ms IS NULL
    OR (NEW.seq, NEW.id, NEW.name, NEW.role, NEW.created_at_ms)
        IS NOT (OLD.seq, OLD.id, OLD.name, OLD.role, OLD.created_at_ms)
BEGIN SELECT RAISE(ABORT, 'append-only: account'); END;
CREATE TRIGGER account_no_delete BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'append-only: account'); END;
CREATE TRIGGER account_no_replace BEFORE INSERT ON account
WHEN EXISTS (SELECT 1 FROM account WHERE seq = NEW.seq OR id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: account'); END;

-- As in 0013, for the new table.
CREATE TRIGGER account_inserted AFTER INSERT ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(NEW.id)); END;
CREATE TRIGGER account_updated AFTER UPDATE ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(NEW.id)); END;
CREATE TRIGGER account_deleted AFTER DELETE ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(OLD.id)); END;
