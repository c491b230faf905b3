-- What was learned of devices.
SELECT 1;
