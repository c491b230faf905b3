-- The reading archive.
SELECT 1;
