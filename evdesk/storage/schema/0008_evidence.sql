-- What sessions rest on.
SELECT 1;
