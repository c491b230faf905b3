-- What sessions rest on beside registers: serial numbers, cards, replaced meters, a set clock.

ALTER TABLE session ADD COLUMN drift_ms INTEGER NOT NULL DEFAULT 0; -- by which the clock was set
ALTER TABLE session ADD COLUMN start_serial TEXT;
ALTER TABLE session ADD COLUMN end_serial TEXT;
ALTER TABLE session ADD COLUMN tag_digest BLOB CHECK (length(tag_digest) = 32);
ALTER TABLE session ADD COLUMN tag_shown TEXT;

-- Keys that never leave the site: RFID numbers are kept as HMAC-SHA256 under one of them.
CREATE TABLE site_key (
    id              INTEGER PRIMARY KEY,
    purpose         TEXT    NOT NULL UNIQUE CHECK (purpose IN ('rfid')),
    key             BLOB    NOT NULL CHECK (length(key) = 32)
) STRICT;

CREATE TRIGGER site_key_no_update BEFORE UPDATE ON site_key
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;
CREATE TRIGGER site_key_no_delete BEFORE DELETE ON site_key
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'site_key')
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;
CREATE TRIGGER site_key_no_replace BEFORE INSERT ON site_key
WHEN EXISTS (SELECT 1 FROM site_key WHERE id = NEW.id OR purpose = NEW.purpose)
BEGIN SELECT RAISE(ABORT, 'append-only: site_key'); END;

-- Whose a card is from an instant on, and when that ended.
CREATE TABLE card (
    id              INTEGER PRIMARY KEY,
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    shown           TEXT    NOT NULL,
    driver_id       TEXT    NOT NULL REFERENCES driver (id),
    from_at_ms      INTEGER NOT NULL,
    to_at_ms        INTEGER CHECK (to_at_ms > from_at_ms)
) STRICT;
CREATE INDEX card_digest ON card (digest, from_at_ms);

CREATE TRIGGER card_no_update BEFORE UPDATE ON card
BEGIN SELECT RAISE(ABORT, 'append-only: card'); END;
CREATE TRIGGER card_no_delete BEFORE DELETE ON card
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'card')
BEGIN SELECT RAISE(ABORT, 'append-only: card'); END;
CREATE TRIGGER card_no_replace BEFORE INSERT ON card
WHEN EXISTS (SELECT 1 FROM card WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: card'); END;

CREATE TABLE card_end (
    card_id         INTEGER PRIMARY KEY REFERENCES card (id),
    at_ms           INTEGER NOT NULL,
    cause           TEXT    NOT NULL CHECK (cause IN ('lost', 'returned'))
) STRICT;

CREATE TRIGGER card_end_no_update BEFORE UPDATE ON card_end
BEGIN SELECT RAISE(ABORT, 'append-only: card_end'); END;
CREATE TRIGGER card_end_no_delete BEFORE DELETE ON card_end
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'card_end')
BEGIN SELECT RAISE(ABORT, 'append-only: card_end'); END;
CREATE TRIGGER card_end_no_replace BEFORE INSERT ON card_end
WHEN EXISTS (SELECT 1 FROM card_end WHERE card_id = NEW.card_id)
BEGIN SELECT RAISE(ABORT, 'append-only: card_end'); END;

-- A meter put in another's place: the old one's last register, the new one's first.
CREATE TABLE meter_replacement (
    id              INTEGER PRIMARY KEY,
    meter_id        INTEGER NOT NULL REFERENCES meter (id),
    socket          INTEGER NOT NULL CHECK (socket >= 1),
    at_ms           INTEGER NOT NULL,
    final_wh        INTEGER NOT NULL CHECK (final_wh >= 0),
    first_wh        INTEGER NOT NULL CHECK (first_wh >= 0),
    serial          TEXT,
    reason          TEXT    NOT NULL
) STRICT;
CREATE INDEX meter_replacement_meter ON meter_replacement (meter_id, socket, at_ms);

CREATE TRIGGER meter_replacement_no_update BEFORE UPDATE ON meter_replacement
BEGIN SELECT RAISE(ABORT, 'append-only: meter_replacement'); END;
CREATE TRIGGER meter_replacement_no_delete BEFORE DELETE ON meter_replacement
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'meter_replacement')
BEGIN SELECT RAISE(ABORT, 'append-only: meter_replacement'); END;
CREATE TRIGGER meter_replacement_no_replace BEFORE INSERT ON meter_replacement
WHEN EXISTS (SELECT 1 FROM meter_replacement WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: meter_replacement'); END;
