-- Faults, and what is known of meters.
SELECT 1;
