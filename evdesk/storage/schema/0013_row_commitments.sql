-- The rows that evidence rests on: whoever writes one leaves its key in table touched, and the program
-- commits to the row in the audit log before the transaction ends (tables row_commit and row_salt).
-- A session is committed to once it is over; while it is open it changes every few seconds.

CREATE TRIGGER site_inserted AFTER INSERT ON site
BEGIN INSERT OR IGNORE INTO touched VALUES ('site', json_array(NEW.id)); END;
CREATE TRIGGER site_updated AFTER UPDATE ON site
BEGIN INSERT OR IGNORE INTO touched VALUES ('site', json_array(NEW.id)); END;
CREATE TRIGGER site_deleted AFTER DELETE ON site
BEGIN INSERT OR IGNORE INTO touched VALUES ('site', json_array(OLD.id)); END;

CREATE TRIGGER issuer_inserted AFTER INSERT ON issuer
BEGIN INSERT OR IGNORE INTO touched VALUES ('issuer', json_array(NEW.id)); END;
CREATE TRIGGER issuer_updated AFTER UPDATE ON issuer
BEGIN INSERT OR IGNORE INTO touched VALUES ('issuer', json_array(NEW.id)); END;
CREATE TRIGGER issuer_deleted AFTER DELETE ON issuer
BEGIN INSERT OR IGNORE INTO touched VALUES ('issuer', json_array(OLD.id)); END;

CREATE TRIGGER account_inserted AFTER INSERT ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(NEW.id)); END;
CREATE TRIGGER account_updated AFTER UPDATE ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(NEW.id)); END;
CREATE TRIGGER account_deleted AFTER DELETE ON account
BEGIN INSERT OR IGNORE INTO touched VALUES ('account', json_array(OLD.id)); END;

CREATE TRIGGER driver_inserted AFTER INSERT ON driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('driver', json_array(NEW.id)); END;
CREATE TRIGGER driver_updated AFTER UPDATE ON driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('driver', json_array(NEW.id)); END;
CREATE TRIGGER driver_deleted AFTER DELETE ON driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('driver', json_array(OLD.id)); END;

CREATE TRIGGER person_field_inserted AFTER INSERT ON person_field
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_field', json_array(NEW.person_id, NEW.field)); END;
CREATE TRIGGER person_field_updated AFTER UPDATE ON person_field
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_field', json_array(NEW.person_id, NEW.field)); END;
CREATE TRIGGER person_field_deleted AFTER DELETE ON person_field
BEGIN INSERT OR IGNORE INTO touched VALUES ('person_field', json_array(OLD.person_id, OLD.field)); END;

CREATE TRIGGER meter_inserted AFTER INSERT ON meter
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter', json_array(NEW.id)); END;
CREATE TRIGGER meter_updated AFTER UPDATE ON meter
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter', json_array(NEW.id)); END;
CREATE TRIGGER meter_deleted AFTER DELETE ON meter
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter', json_array(OLD.id)); END;

CREATE TRIGGER meter_choice_inserted AFTER INSERT ON meter_choice
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_choice', json_array(NEW.meter_id, NEW.key)); END;
CREATE TRIGGER meter_choice_updated AFTER UPDATE ON meter_choice
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_choice', json_array(NEW.meter_id, NEW.key)); END;
CREATE TRIGGER meter_choice_deleted AFTER DELETE ON meter_choice
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_choice', json_array(OLD.meter_id, OLD.key)); END;

CREATE TRIGGER meter_replacement_inserted AFTER INSERT ON meter_replacement
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_replacement', json_array(NEW.id)); END;
CREATE TRIGGER meter_replacement_updated AFTER UPDATE ON meter_replacement
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_replacement', json_array(NEW.id)); END;
CREATE TRIGGER meter_replacement_deleted AFTER DELETE ON meter_replacement
BEGIN INSERT OR IGNORE INTO touched VALUES ('meter_replacement', json_array(OLD.id)); END;

CREATE TRIGGER station_inserted AFTER INSERT ON station
BEGIN INSERT OR IGNORE INTO touched VALUES ('station', json_array(NEW.id)); END;
CREATE TRIGGER station_updated AFTER UPDATE ON station
BEGIN INSERT OR IGNORE INTO touched VALUES ('station', json_array(NEW.id)); END;
CREATE TRIGGER station_deleted AFTER DELETE ON station
BEGIN INSERT OR IGNORE INTO touched VALUES ('station', json_array(OLD.id)); END;

CREATE TRIGGER station_driver_inserted AFTER INSERT ON station_driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('station_driver', json_array(NEW.id)); END;
CREATE TRIGGER station_driver_updated AFTER UPDATE ON station_driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('station_driver', json_array(NEW.id)); END;
CREATE TRIGGER station_driver_deleted AFTER DELETE ON station_driver
BEGIN INSERT OR IGNORE INTO touched VALUES ('station_driver', json_array(OLD.id)); END;

CREATE TRIGGER session_inserted AFTER INSERT ON session
WHEN NEW.state <> 'open'
BEGIN INSERT OR IGNORE INTO touched VALUES ('session', json_array(NEW.id)); END;
CREATE TRIGGER session_updated AFTER UPDATE ON session
WHEN NEW.state <> 'open' OR OLD.state <> 'open'
BEGIN INSERT OR IGNORE INTO touched VALUES ('session', json_array(NEW.id)); END;
CREATE TRIGGER session_deleted AFTER DELETE ON session
BEGIN INSERT OR IGNORE INTO touched VALUES ('session', json_array(OLD.id)); END;

CREATE TRIGGER session_event_inserted AFTER INSERT ON session_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_event', json_array(NEW.id)); END;
CREATE TRIGGER session_event_updated AFTER UPDATE ON session_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_event', json_array(NEW.id)); END;
CREATE TRIGGER session_event_deleted AFTER DELETE ON session_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_event', json_array(OLD.id)); END;

CREATE TRIGGER session_decision_inserted AFTER INSERT ON session_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_decision', json_array(NEW.id)); END;
CREATE TRIGGER session_decision_updated AFTER UPDATE ON session_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_decision', json_array(NEW.id)); END;
CREATE TRIGGER session_decision_deleted AFTER DELETE ON session_decision
BEGIN INSERT OR IGNORE INTO touched VALUES ('session_decision', json_array(OLD.id)); END;

CREATE TRIGGER explanation_inserted AFTER INSERT ON explanation
BEGIN INSERT OR IGNORE INTO touched VALUES ('explanation', json_array(NEW.id)); END;
CREATE TRIGGER explanation_updated AFTER UPDATE ON explanation
BEGIN INSERT OR IGNORE INTO touched VALUES ('explanation', json_array(NEW.id)); END;
CREATE TRIGGER explanation_deleted AFTER DELETE ON explanation
BEGIN INSERT OR IGNORE INTO touched VALUES ('explanation', json_array(OLD.id)); END;

CREATE TRIGGER tariff_inserted AFTER INSERT ON tariff
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff', json_array(NEW.id)); END;
CREATE TRIGGER tariff_updated AFTER UPDATE ON tariff
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff', json_array(NEW.id)); END;
CREATE TRIGGER tariff_deleted AFTER DELETE ON tariff
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff', json_array(OLD.id)); END;

CREATE TRIGGER tariff_component_inserted AFTER INSERT ON tariff_component
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_component', json_array(NEW.tariff_id, NEW.position)); END;
CREATE TRIGGER tariff_component_updated AFTER UPDATE ON tariff_component
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_component', json_array(NEW.tariff_id, NEW.position)); END;
CREATE TRIGGER tariff_component_deleted AFTER DELETE ON tariff_component
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_component', json_array(OLD.tariff_id, OLD.position)); END;

CREATE TRIGGER tariff_assignment_inserted AFTER INSERT ON tariff_assignment
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_assignment', json_array(NEW.id)); END;
CREATE TRIGGER tariff_assignment_updated AFTER UPDATE ON tariff_assignment
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_assignment', json_array(NEW.id)); END;
CREATE TRIGGER tariff_assignment_deleted AFTER DELETE ON tariff_assignment
BEGIN INSERT OR IGNORE INTO touched VALUES ('tariff_assignment', json_array(OLD.id)); END;

CREATE TRIGGER invoice_inserted AFTER INSERT ON invoice
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice', json_array(NEW.id)); END;
CREATE TRIGGER invoice_updated AFTER UPDATE ON invoice
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice', json_array(NEW.id)); END;
CREATE TRIGGER invoice_deleted AFTER DELETE ON invoice
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice', json_array(OLD.id)); END;

CREATE TRIGGER invoice_session_inserted AFTER INSERT ON invoice_session
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_session', json_array(NEW.session_id)); END;
CREATE TRIGGER invoice_session_updated AFTER UPDATE ON invoice_session
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_session', json_array(NEW.session_id)); END;
CREATE TRIGGER invoice_session_deleted AFTER DELETE ON invoice_session
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_session', json_array(OLD.session_id)); END;

CREATE TRIGGER invoice_document_inserted AFTER INSERT ON invoice_document
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_document', json_array(NEW.seq)); END;
CREATE TRIGGER invoice_document_updated AFTER UPDATE ON invoice_document
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_document', json_array(NEW.seq)); END;
CREATE TRIGGER invoice_document_deleted AFTER DELETE ON invoice_document
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_document', json_array(OLD.seq)); END;

CREATE TRIGGER invoice_event_inserted AFTER INSERT ON invoice_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_event', json_array(NEW.id)); END;
CREATE TRIGGER invoice_event_updated AFTER UPDATE ON invoice_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_event', json_array(NEW.id)); END;
CREATE TRIGGER invoice_event_deleted AFTER DELETE ON invoice_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('invoice_event', json_array(OLD.id)); END;

CREATE TRIGGER card_inserted AFTER INSERT ON card
BEGIN INSERT OR IGNORE INTO touched VALUES ('card', json_array(NEW.id)); END;
CREATE TRIGGER card_updated AFTER UPDATE ON card
BEGIN INSERT OR IGNORE INTO touched VALUES ('card', json_array(NEW.id)); END;
CREATE TRIGGER card_deleted AFTER DELETE ON card
BEGIN INSERT OR IGNORE INTO touched VALUES ('card', json_array(OLD.id)); END;

CREATE TRIGGER card_end_inserted AFTER INSERT ON card_end
BEGIN INSERT OR IGNORE INTO touched VALUES ('card_end', json_array(NEW.card_id)); END;
CREATE TRIGGER card_end_updated AFTER UPDATE ON card_end
BEGIN INSERT OR IGNORE INTO touched VALUES ('card_end', json_array(NEW.card_id)); END;
CREATE TRIGGER card_end_deleted AFTER DELETE ON card_end
BEGIN INSERT OR IGNORE INTO touched VALUES ('card_end', json_array(OLD.card_id)); END;

CREATE TRIGGER fault_inserted AFTER INSERT ON fault
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault', json_array(NEW.id)); END;
CREATE TRIGGER fault_updated AFTER UPDATE ON fault
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault', json_array(NEW.id)); END;
CREATE TRIGGER fault_deleted AFTER DELETE ON fault
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault', json_array(OLD.id)); END;

CREATE TRIGGER fault_event_inserted AFTER INSERT ON fault_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault_event', json_array(NEW.id)); END;
CREATE TRIGGER fault_event_updated AFTER UPDATE ON fault_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault_event', json_array(NEW.id)); END;
CREATE TRIGGER fault_event_deleted AFTER DELETE ON fault_event
BEGIN INSERT OR IGNORE INTO touched VALUES ('fault_event', json_array(OLD.id)); END;
