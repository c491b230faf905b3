-- When backups are made, and where.
SELECT 1;
