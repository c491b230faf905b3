-- What people ask for under data-protection law, who was told about them, and what went wrong.
-- Everything here is append-only. Persons are pseudonyms; words about them are sealed under their
-- own keys of the class request (AES-256-GCM: nonce 12, text, tag 16).

CREATE TABLE request (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    kind            TEXT    NOT NULL CHECK (kind IN ('access', 'rectification', 'erasure',
                                                     'restriction', 'portability', 'objection')),
    received_on     TEXT    NOT NULL CHECK (received_on IS date(received_on)),
    recorded_at_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX request_person ON request (person_id);

CREATE TABLE request_event (
    id              INTEGER PRIMARY KEY,
    request_id      INTEGER NOT NULL REFERENCES request (id),
    at_ms           INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('received', 'identified', 'extended',
                                                      'answered', 'refused', 'withdrawn')),
    author          TEXT    NOT NULL CHECK (author <> ''),
    id_check        TEXT    CHECK (id_check IN ('known', 'document', 'contact', 'card', 'portal')),
    note            BLOB    CHECK (length(note) >= 28)
) STRICT;
CREATE INDEX request_event_request ON request_event (request_id, id);

-- Who outside was given what of a person. Which kind of recipient it was is in the open, so that
-- whoever may not know the person can still read the list.
CREATE TABLE disclosure (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    at_ms           INTEGER NOT NULL,
    recorded_at_ms  INTEGER NOT NULL,
    recipient_kind  TEXT    NOT NULL CHECK (recipient_kind <> ''),
    classes         TEXT    NOT NULL CHECK (classes <> ''), -- of data, parted by blanks
    author          TEXT    NOT NULL CHECK (author <> ''),
    told            BLOB    CHECK (length(told) >= 28)      -- recipient and reason, sealed
) STRICT;
CREATE INDEX disclosure_person ON disclosure (person_id, at_ms);

-- Art. 33(5): each breach, and what was known of it at each time. aware_at_ms starts the 72 hours.
CREATE TABLE breach (
    id              INTEGER PRIMARY KEY,
    happened_at_ms  INTEGER,
    aware_at_ms     INTEGER NOT NULL,
    recorded_at_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE breach_account (
    id                      INTEGER PRIMARY KEY,
    breach_id               INTEGER NOT NULL REFERENCES breach (id),
    at_ms                   INTEGER NOT NULL,
    author                  TEXT    NOT NULL CHECK (author <> ''),
    nature                  TEXT    NOT NULL CHECK (trim(nature) <> ''),
    categories              TEXT    NOT NULL,
    subjects                INTEGER CHECK (subjects >= 0),
    records                 INTEGER CHECK (records >= 0),
    consequences            TEXT    NOT NULL,
    measures                TEXT    NOT NULL,
    contact                 TEXT    NOT NULL,
    risk                    TEXT    NOT NULL,
    authority_told_at_ms    INTEGER,
    subjects_told_at_ms     INTEGER
) STRICT;
CREATE INDEX breach_account_breach ON breach_account (breach_id, id);

-- What a record of processing (Art. 30) says that follows from nothing else; the newest row of a
-- kind holds, an empty text takes it away.
CREATE TABLE controller_detail (
    id              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL CHECK (kind <> ''),
    content         TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    author          TEXT    NOT NULL CHECK (author <> '')
) STRICT;
CREATE INDEX controller_detail_kind ON controller_detail (kind, id);

-- -- guards --------------------------------------------------------------------------------------

CREATE TRIGGER request_no_update BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'append-only: request'); END;
CREATE TRIGGER request_no_delete BEFORE DELETE ON request
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'request')
BEGIN SELECT RAISE(ABORT, 'append-only: request'); END;
CREATE TRIGGER request_no_replace BEFORE INSERT ON request
WHEN EXISTS (SELECT 1 FROM request WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: request'); END;

CREATE TRIGGER request_event_no_update BEFORE UPDATE ON request_event
BEGIN SELECT RAISE(ABORT, 'append-only: request_event'); END;
CREATE TRIGGER request_event_no_delete BEFORE DELETE ON request_event
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'request_event')
BEGIN SELECT RAISE(ABORT, 'append-only: request_event'); END;
CREATE TRIGGER request_event_no_replace BEFORE INSERT ON request_event
WHEN EXISTS (SELECT 1 FROM request_event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: request_event'); END;

CREATE TRIGGER disclosure_no_update BEFORE UPDATE ON disclosure
BEGIN SELECT RAISE(ABORT, 'append-only: disclosure'); END;
CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'disclosure')
BEGIN SELECT RAISE(ABORT, 'append-only: disclosure'); END;
CREATE TRIGGER disclosure_no_replace BEFORE INSERT ON disclosure
WHEN EXISTS (SELECT 1 FROM disclosure WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: disclosure'); END;

CREATE TRIGGER breach_no_update BEFORE UPDATE ON breach
BEGIN SELECT RAISE(ABORT, 'append-only: breach'); END;
CREATE TRIGGER breach_no_delete BEFORE DELETE ON breach
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'breach')
BEGIN SELECT RAISE(ABORT, 'append-only: breach'); END;
CREATE TRIGGER breach_no_replace BEFORE INSERT ON breach
WHEN EXISTS (SELECT 1 FROM breach WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: breach'); END;

CREATE TRIGGER breach_account_no_update BEFORE UPDATE ON breach_account
BEGIN SELECT RAISE(ABORT, 'append-only: breach_account'); END;
CREATE TRIGGER breach_account_no_delete BEFORE DELETE ON breach_account
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'breach_account')
BEGIN SELECT RAISE(ABORT, 'append-only: breach_account'); END;
CREATE TRIGGER breach_account_no_replace BEFORE INSERT ON breach_account
WHEN EXISTS (SELECT 1 FROM breach_account WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: breach_account'); END;

CREATE TRIGGER controller_detail_no_update BEFORE UPDATE ON controller_detail
BEGIN SELECT RAISE(ABORT, 'append-only: controller_detail'); END;
CREATE TRIGGER controller_detail_no_delete BEFORE DELETE ON controller_detail
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'controller_detail')
BEGIN SELECT RAISE(ABORT, 'append-only: controller_detail'); END;
CREATE TRIGGER controller_detail_no_replace BEFORE INSERT ON controller_detail
WHEN EXISTS (SELECT 1 FROM controller_detail WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: controller_detail'); END;

-- -- what entries commit to ----------------------------------------------------------------------

CREATE TRIGGER request_inserted AFTER INSERT ON request
BEGIN INSERT OR IGNORE INTO touched VALUES ('request', json_array(NEW.id)); END;
CREATE TRIGGER request_updated AFTER UPDATE ON request
BEGIN INSERT OR IGNORE INTO touched VALUES ('request', json_array(NEW.id)); END;
CREATE TRIGGER request_deleted AFTER DELETE ON request
BEGIN INSERT OR IGNORE INTO touched VALUES ('request', json_array(OLD.id)); END;

CREATE TRIGGER request_event_inserted AFTER INSERT ON request_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('request_event', json_array(NEW.id)); END;
CREATE TRIGGER request_event_updated AFTER UPDATE ON request_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('request_event', json_array(NEW.id)); END;
CREATE TRIGGER request_event_deleted AFTER DELETE ON request_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('request_event', json_array(OLD.id)); END;

CREATE TRIGGER disclosure_inserted AFTER INSERT ON disclosure
BEGIN INSERT OR IGNORE INTO touched VALUES ('disclosure', json_array(NEW.id)); END;
CREATE TRIGGER disclosure_updated AFTER UPDATE ON disclosure
BEGIN INSERT OR IGNORE INTO touched VALUES ('disclosure', json_array(NEW.id)); END;
CREATE TRIGGER disclosure_deleted AFTER DELETE ON disclosure
BEGIN INSERT OR IGNORE INTO touched VALUES ('disclosure', json_array(OLD.id)); END;

CREATE TRIGGER breach_inserted AFTER INSERT ON breach
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach', json_array(NEW.id)); END;
CREATE TRIGGER breach_updated AFTER UPDATE ON breach
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach', json_array(NEW.id)); END;
CREATE TRIGGER breach_deleted AFTER DELETE ON breach
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach', json_array(OLD.id)); END;

CREATE TRIGGER breach_account_inserted AFTER INSERT ON breach_account
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach_account', json_array(NEW.id)); END;
CREATE TRIGGER breach_account_updated AFTER UPDATE ON breach_account
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach_account', json_array(NEW.id)); END;
CREATE TRIGGER breach_account_deleted AFTER DELETE ON breach_account
BEGIN INSERT OR IGNORE INTO touched VALUES ('breach_account', json_array(OLD.id)); END;

CREATE TRIGGER controller_detail_inserted AFTER INSERT ON controller_detail
BEGIN INSERT OR IGNORE INTO touched VALUES ('controller_detail', json_array(NEW.id)); END;
CREATE TRIGGER controller_detail_updated AFTER UPDATE ON controller_detail
BEGIN INSERT OR IGNORE INTO touched VALUES ('controller_detail', json_array(NEW.id)); END;
CREATE TRIGGER controller_detail_deleted AFTER DELETE ON controller_detail
BEGIN INSERT OR IGNORE INTO touched VALUES ('controller_detail', json_array(OLD.id)); END;
