"""Documents: pure data in, bytes out; nothing here touches a disk, a clock or a database."""
