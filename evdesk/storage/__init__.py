"""The site folder on disk: the encrypted database, the keys that open it, one repository a noun.

``keys`` makes and opens key slots, ``site_folder`` creates and opens a site, ``site_store`` is what
services get. Nothing outside this package sees a connection, a statement or a key.
"""
