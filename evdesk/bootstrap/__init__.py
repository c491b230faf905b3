"""The composition root: builds services from a site folder and runs the processes."""

from evdesk.bootstrap.backing_up import (
    find_backups,
    is_backup_of,
    opens_backup,
    restore_service,
    verify_backup,
)
from evdesk.bootstrap.folders import saving_folder
from evdesk.bootstrap.hardening import harden, told_of
from evdesk.bootstrap.papers import versions
from evdesk.bootstrap.running import (
    CollectorChild,
    Speed,
    collect,
    device_profiles,
    save,
    saving,
    simulate,
    spawn,
)
from evdesk.bootstrap.services import Services
from evdesk.bootstrap.sites import (
    COLLECTOR,
    Made,
    Opened,
    SiteRequest,
    as_collector,
    check_site,
    create_site,
    default_folder,
    has_several_accounts,
    local_zone,
    open_service,
    open_site,
    open_with_key,
    open_with_keyring,
    seconds_to_wait,
    service_folder,
)
from evdesk.bootstrap.window import open_window, picture
from evdesk.devices.simulator.listening import Links

__all__ = [
    "COLLECTOR",
    "CollectorChild",
    "Links",
    "Made",
    "Opened",
    "Services",
    "SiteRequest",
    "Speed",
    "as_collector",
    "check_site",
    "collect",
    "create_site",
    "default_folder",
    "device_profiles",
    "find_backups",
    "harden",
    "has_several_accounts",
    "is_backup_of",
    "local_zone",
    "open_service",
    "open_site",
    "open_window",
    "open_with_key",
    "open_with_keyring",
    "opens_backup",
    "picture",
    "restore_service",
    "save",
    "saving",
    "saving_folder",
    "seconds_to_wait",
    "service_folder",
    "simulate",
    "spawn",
    "told_of",
    "verify_backup",
    "versions",
]
