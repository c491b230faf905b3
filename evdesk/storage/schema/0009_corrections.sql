-- Corrections, releases and reconciliation.
SELECT 1;
