-- Retention: rules as dated versions, holds, what was taken when, and what is left of sessions.

-- What stays of sessions that nobody was billed for: figures of a charging point and a local month.
-- unmeasured are those whose energy is not known.
CREATE TABLE session_aggregate (
    station_id      INTEGER NOT NULL REFERENCES station (id),
    month           TEXT    NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]'),
    sessions        INTEGER NOT NULL CHECK (sessions >= 1),
    energy_wh       INTEGER NOT NULL,
    unmeasured      INTEGER NOT NULL CHECK (unmeasured BETWEEN 0 AND sessions),
    PRIMARY KEY (station_id, month)
) STRICT, WITHOUT ROWID;

-- A rule in one of its versions; the one in force is the highest that was confirmed or approved.
CREATE TABLE retention_rule (
    id              INTEGER PRIMARY KEY,
    rule            TEXT    NOT NULL CHECK (rule <> ''),
    version         INTEGER NOT NULL CHECK (version >= 1),
    data_class      TEXT    NOT NULL CHECK (data_class <> ''),
    begins          TEXT    NOT NULL
                    CHECK (begins IN ('creation', 'process_end', 'relation_end', 'year_end')),
    period          TEXT    NOT NULL CHECK (period <> ''),
    legal_basis     TEXT    NOT NULL,
    jurisdiction    TEXT    NOT NULL CHECK (jurisdiction <> ''),
    justification   TEXT    NOT NULL,
    valid_from      TEXT    NOT NULL CHECK (valid_from IS date(valid_from)),
    statutory       INTEGER NOT NULL CHECK (statutory IN (0, 1)),
    author          TEXT    NOT NULL CHECK (author <> ''),
    at_ms           INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    UNIQUE (rule, version)
) STRICT;

CREATE TABLE retention_decision (
    id              INTEGER PRIMARY KEY,
    rule            TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('confirmed', 'proposed', 'approved')),
    author          TEXT    NOT NULL CHECK (author <> ''),
    at_ms           INTEGER NOT NULL,
    UNIQUE (rule, version, kind),
    FOREIGN KEY (rule, version) REFERENCES retention_rule (rule, version)
) STRICT;

CREATE TABLE legal_hold (
    id              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL CHECK (kind IN ('person', 'invoice', 'class')),
    object          TEXT    NOT NULL CHECK (object <> ''),
    author          TEXT    NOT NULL CHECK (author <> ''),
    reason          TEXT    NOT NULL CHECK (trim(reason) <> ''),
    since_at_ms     INTEGER NOT NULL,
    review_on       TEXT    NOT NULL CHECK (review_on IS date(review_on))
) STRICT;

CREATE TABLE legal_hold_release (
    hold_id         INTEGER PRIMARY KEY REFERENCES legal_hold (id),
    author          TEXT    NOT NULL CHECK (author <> ''),
    reason          TEXT    NOT NULL CHECK (trim(reason) <> ''),
    at_ms           INTEGER NOT NULL
) STRICT;

-- A run goes on where it was cut off: it is over with its row in retention_run_end. Each of its
-- transactions leaves a step with what it took.
CREATE TABLE retention_run (
    id              INTEGER PRIMARY KEY,
    as_of_ms        INTEGER NOT NULL,
    started_at_ms   INTEGER NOT NULL,
    actor           TEXT    NOT NULL CHECK (actor <> '')
) STRICT;

CREATE TABLE retention_step (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER NOT NULL REFERENCES retention_run (id),
    rule            TEXT    NOT NULL,
    deleted         INTEGER NOT NULL CHECK (deleted >= 0)
) STRICT;
CREATE INDEX retention_step_run ON retention_step (run_id, rule);

CREATE TABLE retention_run_end (
    run_id          INTEGER PRIMARY KEY REFERENCES retention_run (id),
    at_ms           INTEGER NOT NULL
) STRICT;

-- What a rule took in a run; left_over is what a query found afterwards, checkpoint what emptying
-- the write-ahead log answered, ledger the hash of the newest line of the erasure ledger.
CREATE TABLE retention_log (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER NOT NULL REFERENCES retention_run (id),
    rule            TEXT    NOT NULL,
    rule_version    INTEGER NOT NULL,
    finished_at_ms  INTEGER NOT NULL,
    cutoff_at_ms    INTEGER NOT NULL,
    selected        INTEGER NOT NULL CHECK (selected >= 0),
    deleted         INTEGER NOT NULL CHECK (deleted >= 0),
    retained        INTEGER NOT NULL CHECK (retained >= 0),
    reasons         TEXT    NOT NULL CHECK (json_valid(reasons)),
    left_over       INTEGER NOT NULL CHECK (left_over >= 0),
    method          TEXT    NOT NULL,
    checkpoint      TEXT    NOT NULL,
    ledger          TEXT    NOT NULL,
    error           TEXT    NOT NULL,
    FOREIGN KEY (rule, rule_version) REFERENCES retention_rule (rule, version)
) STRICT;
CREATE INDEX retention_log_run ON retention_log (run_id);

-- What a bill rests on stays as it was billed; whose it was goes when billing needs it no more.
DROP TRIGGER session_billed;
CREATE TRIGGER session_billed BEFORE UPDATE ON session
WHEN EXISTS (SELECT 1 FROM invoice_session WHERE session_id = OLD.id)
 AND NOT (EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'session')
      AND NEW.driver_id IS NULL AND NEW.tag_digest IS NULL AND NEW.tag_shown IS NULL
      AND (NEW.id, NEW.station_id, NEW.state, NEW.plugged_in_at_ms, NEW.unplugged_at_ms,
           NEW.start_wh, NEW.start_at_ms, NEW.start_raw, NEW.end_wh, NEW.end_at_ms, NEW.end_raw,
           NEW.energy_wh, NEW.charging_ms, NEW.peak_dw, NEW.flags, NEW.drift_ms,
           NEW.start_serial, NEW.end_serial)
       IS (OLD.id, OLD.station_id, OLD.state, OLD.plugged_in_at_ms, OLD.unplugged_at_ms,
           OLD.start_wh, OLD.start_at_ms, OLD.start_raw, OLD.end_wh, OLD.end_at_ms, OLD.end_raw,
           OLD.energy_wh, OLD.charging_ms, OLD.peak_dw, OLD.flags, OLD.drift_ms,
           OLD.start_serial, OLD.end_serial))
BEGIN SELECT RAISE(ABORT, 'billed: session'); END;

CREATE TRIGGER retention_rule_no_update BEFORE UPDATE ON retention_rule
BEGIN SELECT RAISE(ABORT, 'append-only: retention_rule'); END;
CREATE TRIGGER retention_rule_no_delete BEFORE DELETE ON retention_rule
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_rule')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_rule'); END;
CREATE TRIGGER retention_rule_no_replace BEFORE INSERT ON retention_rule
WHEN EXISTS (SELECT 1 FROM retention_rule WHERE id = NEW.id OR (rule = NEW.rule AND version = NEW.version))
BEGIN SELECT RAISE(ABORT, 'append-only: retention_rule'); END;

CREATE TRIGGER retention_decision_no_update BEFORE UPDATE ON retention_decision
BEGIN SELECT RAISE(ABORT, 'append-only: retention_decision'); END;
CREATE TRIGGER retention_decision_no_delete BEFORE DELETE ON retention_decision
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_decision')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_decision'); END;
CREATE TRIGGER retention_decision_no_replace BEFORE INSERT ON retention_decision
WHEN EXISTS (SELECT 1 FROM retention_decision WHERE id = NEW.id OR (rule = NEW.rule AND version = NEW.version AND kind = NEW.kind))
BEGIN SELECT RAISE(ABORT, 'append-only: retention_decision'); END;

CREATE TRIGGER legal_hold_no_update BEFORE UPDATE ON legal_hold
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold'); END;
CREATE TRIGGER legal_hold_no_delete BEFORE DELETE ON legal_hold
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'legal_hold')
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold'); END;
CREATE TRIGGER legal_hold_no_replace BEFORE INSERT ON legal_hold
WHEN EXISTS (SELECT 1 FROM legal_hold WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold'); END;

CREATE TRIGGER legal_hold_release_no_update BEFORE UPDATE ON legal_hold_release
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold_release'); END;
CREATE TRIGGER legal_hold_release_no_delete BEFORE DELETE ON legal_hold_release
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'legal_hold_release')
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold_release'); END;
CREATE TRIGGER legal_hold_release_no_replace BEFORE INSERT ON legal_hold_release
WHEN EXISTS (SELECT 1 FROM legal_hold_release WHERE hold_id = NEW.hold_id)
BEGIN SELECT RAISE(ABORT, 'append-only: legal_hold_release'); END;

CREATE TRIGGER retention_run_no_update BEFORE UPDATE ON retention_run
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run'); END;
CREATE TRIGGER retention_run_no_delete BEFORE DELETE ON retention_run
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_run')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run'); END;
CREATE TRIGGER retention_run_no_replace BEFORE INSERT ON retention_run
WHEN EXISTS (SELECT 1 FROM retention_run WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run'); END;

CREATE TRIGGER retention_step_no_update BEFORE UPDATE ON retention_step
BEGIN SELECT RAISE(ABORT, 'append-only: retention_step'); END;
CREATE TRIGGER retention_step_no_delete BEFORE DELETE ON retention_step
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_step')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_step'); END;
CREATE TRIGGER retention_step_no_replace BEFORE INSERT ON retention_step
WHEN EXISTS (SELECT 1 FROM retention_step WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: retention_step'); END;

CREATE TRIGGER retention_run_end_no_update BEFORE UPDATE ON retention_run_end
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run_end'); END;
CREATE TRIGGER retention_run_end_no_delete BEFORE DELETE ON retention_run_end
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_run_end')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run_end'); END;
CREATE TRIGGER retention_run_end_no_replace BEFORE INSERT ON retention_run_end
WHEN EXISTS (SELECT 1 FROM retention_run_end WHERE run_id = NEW.run_id)
BEGIN SELECT RAISE(ABORT, 'append-only: retention_run_end'); END;

CREATE TRIGGER retention_log_no_update BEFORE UPDATE ON retention_log
BEGIN SELECT RAISE(ABORT, 'append-only: retention_log'); END;
CREATE TRIGGER retention_log_no_delete BEFORE DELETE ON retention_log
WHEN NOT EXISTS (SELECT 1 FROM deletion_permit WHERE table_name = 'retention_log')
BEGIN SELECT RAISE(ABORT, 'append-only: retention_log'); END;
CREATE TRIGGER retention_log_no_replace BEFORE INSERT ON retention_log
WHEN EXISTS (SELECT 1 FROM retention_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'append-only: retention_log'); END;

-- As in 0013, for what evidence rests on.
CREATE TRIGGER retention_rule_inserted AFTER INSERT ON retention_rule
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_rule', json_array(NEW.id)); END;
CREATE TRIGGER retention_rule_updated AFTER UPDATE ON retention_rule
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_rule', json_array(NEW.id)); END;
CREATE TRIGGER retention_rule_deleted AFTER DELETE ON retention_rule
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_rule', json_array(OLD.id)); END;

CREATE TRIGGER retention_decision_inserted AFTER INSERT ON retention_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_decision', json_array(NEW.id)); END;
CREATE TRIGGER retention_decision_updated AFTER UPDATE ON retention_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_decision', json_array(NEW.id)); END;
CREATE TRIGGER retention_decision_deleted AFTER DELETE ON retention_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_decision', json_array(OLD.id)); END;

CREATE TRIGGER legal_hold_inserted AFTER INSERT ON legal_hold
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold', json_array(NEW.id)); END;
CREATE TRIGGER legal_hold_updated AFTER UPDATE ON legal_hold
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold', json_array(NEW.id)); END;
CREATE TRIGGER legal_hold_deleted AFTER DELETE ON legal_hold
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold', json_array(OLD.id)); END;

CREATE TRIGGER legal_hold_release_inserted AFTER INSERT ON legal_hold_release
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold_release', json_array(NEW.hold_id)); END;
CREATE TRIGGER legal_hold_release_updated AFTER UPDATE ON legal_hold_release
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold_release', json_array(NEW.hold_id)); END;
CREATE TRIGGER legal_hold_release_deleted AFTER DELETE ON legal_hold_release
BEGIN INSERT OR IGNORE INTO touched VALUES ('legal_hold_release', json_array(OLD.hold_id)); END;

CREATE TRIGGER retention_log_inserted AFTER INSERT ON retention_log
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_log', json_array(NEW.id)); END;
CREATE TRIGGER retention_log_updated AFTER UPDATE ON retention_log
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_log', json_array(NEW.id)); END;
CREATE TRIGGER retention_log_deleted AFTER DELETE ON retention_log
BEGIN INSERT OR IGNORE INTO touched VALUES ('retention_log', json_array(OLD.id)); END;

CREATE TRIGGER session_aggregate_inserted AFTER INSERT ON session_aggregate
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_aggregate', json_array(NEW.station_id, NEW.month)); END;
CREATE TRIGGER session_aggregate_updated AFTER UPDATE ON session_aggregate
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_aggregate', json_array(NEW.station_id, NEW.month)); END;
CREATE TRIGGER session_aggregate_deleted AFTER DELETE ON session_aggregate
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_aggregate', json_array(OLD.station_id, OLD.month)); END;
