-- Why data of persons may be processed: what people were told, what they agreed to, and what stops
-- it. Everything here is append-only but the vehicle. Persons are pseudonyms; what names them is
-- sealed under their own keys.

-- The exact bytes that people are shown. A higher major is a material change: consents under a lower
-- one no longer count from the instant it is added.
CREATE TABLE notice (
    id              INTEGER PRIMARY KEY,
    purpose         TEXT    NOT NULL CHECK (purpose <> ''),
    major           INTEGER NOT NULL CHECK (major >= 1),
    minor           INTEGER NOT NULL CHECK (minor >= 0),
    language        TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 35),
    content         BLOB    NOT NULL CHECK (length(content) > 0),
    sha256          BLOB    NOT NULL CHECK (length(sha256) = 32),
    created_at_ms   INTEGER NOT NULL,
    author          TEXT    NOT NULL CHECK (author <> ''),
    ready_made      INTEGER NOT NULL CHECK (ready_made IN (0, 1)),
    UNIQUE (purpose, language, major, minor)
) STRICT;

-- What the owner decides of a purpose that rests on consent; the newest row holds.
CREATE TABLE purpose_setting (
    id              INTEGER PRIMARY KEY,
    purpose         TEXT    NOT NULL CHECK (purpose <> ''),
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    validity_months INTEGER NOT NULL CHECK (validity_months >= 1),
    deletion_days   INTEGER NOT NULL CHECK (deletion_days >= 0),
    at_ms           INTEGER NOT NULL,
    author          TEXT    NOT NULL CHECK (author <> '')
) STRICT;
CREATE INDEX purpose_setting_purpose ON purpose_setting (purpose, id);

-- Scans and signatures, AES-256-GCM under the person's key of the class consent_evidence.
CREATE TABLE consent_evidence (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    media_type      TEXT    NOT NULL CHECK (media_type <> ''),
    sealed          BLOB    NOT NULL CHECK (length(sealed) >= 28) -- nonce 12, content, tag 16
) STRICT;
CREATE INDEX consent_evidence_person ON consent_evidence (person_id);

-- The ledger. The latest event by (at_ms, seq) decides. recorded_at_ms lies before at_ms where the
-- PC's clock had been set back. evidence_id may name evidence that is erased; its hash stays.
CREATE TABLE consent_event (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    purpose         TEXT    NOT NULL CHECK (purpose <> ''),
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    at_ms           INTEGER NOT NULL,
    recorded_at_ms  INTEGER NOT NULL,
    state           TEXT    NOT NULL,
    method          TEXT    NOT NULL,
    notice_id       INTEGER REFERENCES notice (id),
    valid_until_ms  INTEGER,
    entity_id       TEXT    NOT NULL CHECK (entity_id <> ''),
    entity_role     TEXT    NOT NULL,
    witness         TEXT    NOT NULL CHECK (witness <> ''),
    evidence_id     INTEGER,
    evidence_sha256 BLOB    CHECK (length(evidence_sha256) = 32),
    UNIQUE (person_id, purpose, seq),
    CHECK ((evidence_id IS NULL) = (evidence_sha256 IS NULL))
) STRICT;
CREATE INDEX consent_event_latest ON consent_event (purpose, person_id, at_ms, seq);

-- Art. 18: stored and not used from an instant on; lifted by another row.
CREATE TABLE person_restriction (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    at_ms           INTEGER NOT NULL,
    restricted      INTEGER NOT NULL CHECK (restricted IN (0, 1)),
    author          TEXT    NOT NULL CHECK (author <> ''),
    reason          TEXT    NOT NULL CHECK (trim(reason) <> '')
) STRICT;
CREATE INDEX person_restriction_person ON person_restriction (person_id, id);

-- Art. 21: the person objects to a purpose; taken back by another row.
CREATE TABLE objection (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    purpose         TEXT    NOT NULL CHECK (purpose <> ''),
    at_ms           INTEGER NOT NULL,
    objects         INTEGER NOT NULL CHECK (objects IN (0, 1)),
    author          TEXT    NOT NULL CHECK (author <> ''),
    reason          TEXT    NOT NULL CHECK (trim(reason) <> '')
) STRICT;
CREATE INDEX objection_person ON objection (person_id, purpose, id);

-- A key of a person that was destroyed on purpose. for_good: none is made for that class ever again;
-- otherwise (a consent was withdrawn) one may be made once there is a reason for it.
CREATE TABLE key_erasure (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL REFERENCES driver (id),
    data_class      TEXT    NOT NULL CHECK (data_class <> ''),
    at_ms           INTEGER NOT NULL,
    rule            TEXT    NOT NULL CHECK (rule <> ''),
    for_good        INTEGER NOT NULL CHECK (for_good IN (0, 1))
) STRICT;
CREATE INDEX key_erasure_person ON key_erasure (person_id, data_class);

-- Somebody's car. digest: HMAC-SHA256 of the VIN under the site's key, to be looked up by; sealed:
-- the VIN itself under the person's key of the class vin. Gone with the consent.
CREATE TABLE vehicle (
    id              INTEGER PRIMARY KEY,
    person_id       TEXT    NOT NULL UNIQUE REFERENCES driver (id),
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    sealed          BLOB    NOT NULL CHECK (length(sealed) >= 28),
    set_at_ms       INTEGER NOT NULL
) STRICT;
CREATE INDEX vehicle_digest ON vehicle (digest);

-- VINs are looked up under a key of their own, beside the one for cards (0008).
CREATE TABLE site_key_of_more (
    id              INTEGER PRIMARY KEY,
    purpose         TEXT    NOT NULL UNIQUE CHECK (purpose IN ('rfid', 'vin')),
    key             BLOB    NOT NULL CHECK (length(key) = 32)
) STRICT;
INSERT INTO site_key_of_more SELECT id, purpose, key FROM site_key;
DROP TABLE site_key;
ALTER TABLE site_key_of_more RENAME TO site_key;

CREATE TRIGGER site_key_no_update BEFORE UPDATE ON site_key
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;
CREATE TRIGGER site_key_no_delete BEFORE DELETE ON site_key
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'site_key')
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;
CREATE TRIGGER site_key_no_replace BEFORE INSERT ON site_key
WHEN EXISTS (SELECT 1 FROM site_key WHERE id = NEW.id OR purpose = NEW.purpose)
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;

-- -- guards --------------------------------------------------------------------------------------

CREATE TRIGGER notice_no_update BEFORE UPDATE ON notice
BEGIN SELECT RAISE(ABORT, 'append-only: notice'); END;
CREATE TRIGGER notice_no_delete BEFORE DELETE ON notice
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'notice')
BEGIN SELECT RAISE(ABORT, 'append-only: notice'); END;
CREATE TRIGGER notice_no_replace BEFORE INSERT ON notice
WHEN EXISTS (SELECT 1 FROM notice
             WHERE id = NEW.id OR (purpose = NEW.purpose AND language = NEW.language
                AND major = NEW.major AND minor = NEW.minor))
BEGIN SELECT RAISE(ABORT, 'append-only: notice'); END;

CREATE TRIGGER purpose_setting_no_update BEFORE UPDATE ON purpose_setting
BEGIN SELECT RAISE(ABORT, 'append-only: purpose_setting'); END;
CREATE TRIGGER purpose_setting_no_delete BEFORE DELETE ON purpose_setting
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'purpose_setting')
BEGIN SELECT RAISE(ABORT, 'append-only: purpose_setting'); END;
CREATE TRIGGER purpose_setting_no_replace BEFORE INSERT ON purpose_setting
WHEN EXISTS (SELECT 1 FROM purpose_setting WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: purpose_setting'); END;

CREATE TRIGGER consent_evidence_no_update BEFORE UPDATE ON consent_evidence
BEGIN SELECT RAISE(ABORT, 'append-only: consent_evidence'); END;
CREATE TRIGGER consent_evidence_no_delete BEFORE DELETE ON consent_evidence
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'consent_evidence')
BEGIN SELECT RAISE(ABORT, 'append-only: consent_evidence'); END;
CREATE TRIGGER consent_evidence_no_replace BEFORE INSERT ON consent_evidence
WHEN EXISTS (SELECT 1 FROM consent_evidence WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: consent_evidence'); END;

CREATE TRIGGER consent_event_no_update BEFORE UPDATE ON consent_event
BEGIN SELECT RAISE(ABORT, 'append-only: consent_event'); END;
CREATE TRIGGER consent_event_no_delete BEFORE DELETE ON consent_event
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'consent_event')
BEGIN SELECT RAISE(ABORT, 'append-only: consent_event'); END;
CREATE TRIGGER consent_event_no_replace BEFORE INSERT ON consent_event
WHEN EXISTS (SELECT 1 FROM consent_event
             WHERE id = NEW.id OR (person_id = NEW.person_id
                AND purpose = NEW.purpose AND seq = NEW.seq))
BEGIN SELECT RAISE(ABORT, 'append-only: consent_event'); END;

CREATE TRIGGER person_restriction_no_update BEFORE UPDATE ON person_restriction
BEGIN SELECT RAISE(ABORT, 'append-only: person_restriction'); END;
CREATE TRIGGER person_restriction_no_delete BEFORE DELETE ON person_restriction
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'person_restriction')
BEGIN SELECT RAISE(ABORT, 'append-only: person_restriction'); END;
CREATE TRIGGER person_restriction_no_replace BEFORE INSERT ON person_restriction
WHEN EXISTS (SELECT 1 FROM person_restriction WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: person_restriction'); END;

CREATE TRIGGER objection_no_update BEFORE UPDATE ON objection
BEGIN SELECT RAISE(ABORT, 'append-only: objection'); END;
CREATE TRIGGER objection_no_delete BEFORE DELETE ON objection
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'objection')
BEGIN SELECT RAISE(ABORT, 'append-only: objection'); END;
CREATE TRIGGER objection_no_replace BEFORE INSERT ON objection
WHEN EXISTS (SELECT 1 FROM objection WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: objection'); END;

CREATE TRIGGER key_erasure_no_update BEFORE UPDATE ON key_erasure
BEGIN SELECT RAISE(ABORT, 'append-only: key_erasure'); END;
CREATE TRIGGER key_erasure_no_delete BEFORE DELETE ON key_erasure
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'key_erasure')
BEGIN SELECT RAISE(ABORT, 'append-only: key_erasure'); END;
CREATE TRIGGER key_erasure_no_replace BEFORE INSERT ON key_erasure
WHEN EXISTS (SELECT 1 FROM key_erasure WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: key_erasure'); END;

-- -- what entries commit to ----------------------------------------------------------------------

CREATE TRIGGER notice_inserted AFTER INSERT ON notice
BEGIN INSERT OR IGNORE INTO touched VALUES ('notice', json_array(NEW.id)); END;
CREATE TRIGGER notice_updated AFTER UPDATE ON notice
BEGIN INSERT OR IGNORE INTO touched VALUES ('notice', json_array(NEW.id)); END;
CREATE TRIGGER notice_deleted AFTER DELETE ON notice
BEGIN INSERT OR IGNORE INTO touched VALUES ('notice', json_array(OLD.id)); END;

CREATE TRIGGER purpose_setting_inserted AFTER INSERT ON purpose_setting
BEGIN INSERT OR IGNORE INTO touched VALUES ('purpose_setting', json_array(NEW.id)); END;
CREATE TRIGGER purpose_setting_updated AFTER UPDATE ON purpose_setting
BEGIN INSERT OR IGNORE INTO touched VALUES ('purpose_setting', json_array(NEW.id)); END;
CREATE TRIGGER purpose_setting_deleted AFTER DELETE ON purpose_setting
BEGIN INSERT OR IGNORE INTO touched VALUES ('purpose_setting', json_array(OLD.id)); END;

CREATE TRIGGER consent_evidence_inserted AFTER INSERT ON consent_evidence
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_evidence', json_array(NEW.id)); END;
CREATE TRIGGER consent_evidence_updated AFTER UPDATE ON consent_evidence
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_evidence', json_array(NEW.id)); END;
CREATE TRIGGER consent_evidence_deleted AFTER DELETE ON consent_evidence
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_evidence', json_array(OLD.id)); END;

CREATE TRIGGER consent_event_inserted AFTER INSERT ON consent_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_event', json_array(NEW.id)); END;
CREATE TRIGGER consent_event_updated AFTER UPDATE ON consent_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_event', json_array(NEW.id)); END;
CREATE TRIGGER consent_event_deleted AFTER DELETE ON consent_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('consent_event', json_array(OLD.id)); END;

CREATE TRIGGER person_restriction_inserted AFTER INSERT ON person_restriction
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_restriction', json_array(NEW.id)); END;
CREATE TRIGGER person_restriction_updated AFTER UPDATE ON person_restriction
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_restriction', json_array(NEW.id)); END;
CREATE TRIGGER person_restriction_deleted AFTER DELETE ON person_restriction
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_restriction', json_array(OLD.id)); END;

CREATE TRIGGER objection_inserted AFTER INSERT ON objection
BEGIN INSERT OR IGNORE INTO touched VALUES ('objection', json_array(NEW.id)); END;
CREATE TRIGGER objection_updated AFTER UPDATE ON objection
BEGIN INSERT OR IGNORE INTO touched VALUES ('objection', json_array(NEW.id)); END;
CREATE TRIGGER objection_deleted AFTER DELETE ON objection
BEGIN INSERT OR IGNORE INTO touched VALUES ('objection', json_array(OLD.id)); END;

CREATE TRIGGER key_erasure_inserted AFTER INSERT ON key_erasure
BEGIN INSERT OR IGNORE INTO touched VALUES ('key_erasure', json_array(NEW.id)); END;
CREATE TRIGGER key_erasure_updated AFTER UPDATE ON key_erasure
BEGIN INSERT OR IGNORE INTO touched VALUES ('key_erasure', json_array(NEW.id)); END;
CREATE TRIGGER key_erasure_deleted AFTER DELETE ON key_erasure
BEGIN INSERT OR IGNORE INTO touched VALUES ('key_erasure', json_array(OLD.id)); END;

CREATE TRIGGER vehicle_inserted AFTER INSERT ON vehicle
BEGIN INSERT OR IGNORE INTO touched VALUES ('vehicle', json_array(NEW.id)); END;
CREATE TRIGGER vehicle_updated AFTER UPDATE ON vehicle
BEGIN INSERT OR IGNORE INTO touched VALUES ('vehicle', json_array(NEW.id)); END;
CREATE TRIGGER vehicle_deleted AFTER DELETE ON vehicle
BEGIN INSERT OR IGNORE INTO touched VALUES ('vehicle', json_array(OLD.id)); END;
