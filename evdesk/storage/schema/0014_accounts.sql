-- Accounts that come and go.
SELECT 1;
