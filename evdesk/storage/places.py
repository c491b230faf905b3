"""Where a site must not live: on a network share, or in a folder that a service copies about."""

import ctypes
import os
import platform
from itertools import chain
from pathlib import Path

from evdesk.domain.errors import StorageError

SHARE = (
    "{folder} is on a network share ({kind}). The database needs the locks of a local disk; on a "
    "share readings get lost. Nothing was created. Choose a folder on a disk of this computer."
)
SYNCHRONISED = (
    "{folder} is inside a folder that {service} synchronises. Copying a database while it is "
    "written damages it. Nothing was created. Choose a folder outside {root}."
)
SHARE_TYPES = (
    " 9p afpfs afs ceph cifs davfs glusterfs lustre ncpfs nfs nfs4 prl_fs smb2 smb3 smbfs vboxsf "
    " webdav fuse.ceph fuse.davfs2 fuse.glusterfs fuse.gvfsd-fuse fuse.rclone fuse.s3fs"
    " fuse.smbnetfs fuse.sshfs fuse.vmhgfs-fuse "
)
SERVICE_FOLDERS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "icloud drive": "iCloud",
    "iclouddrive": "iCloud",
    "mobile documents": "iCloud",
    "cloudstorage": "a cloud service",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "google drive": "Google Drive",
    "my drive": "Google Drive",
    "seafile": "Seafile",
}
SERVICE_MARKERS = {
    ".dropbox.cache": "Dropbox",  # a plain .dropbox is also Dropbox's settings in the home folder
    ".stfolder": "Syncthing",
    ".nextcloudsync.log": "Nextcloud",
    ".owncloudsync.log": "ownCloud",
    ".tmp.drivedownload": "Google Drive",
}
SERVICE_PATTERNS = {"._sync_*.db": "Nextcloud", ".sync_*.db": "Nextcloud"}
ONEDRIVE_VARIABLES = ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")
DRIVE_REMOTE = 4  # GetDriveTypeW
MNT_LOCAL = 0x1000  # sys/mount.h of macOS


def refuse_bad_place(folder: Path) -> None:
    """Refuse a folder where the database would not be safe; it need not exist yet.

    Raises:
        StorageError: the reason, and what to choose instead.

    """
    place = folder.absolute()
    existing = next(parent for parent in (place, *place.parents) if _exists(parent)).resolve()
    kind = share_kind(existing)
    if kind is not None:
        raise StorageError(SHARE, folder=folder, kind=kind)
    for root in dict.fromkeys((place, *place.parents, existing, *existing.parents)):
        service = _service(root)
        if service is not None:
            raise StorageError(SYNCHRONISED, folder=folder, service=service, root=root)


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - False, too, where nothing may be read


def share_kind(folder: Path) -> str | None:
    """Return the kind of network share that an existing folder is on, or None for a local disk."""
    if platform.system() == "Windows":
        return _windows_share(folder)
    if platform.system() == "Darwin":
        return _macos_share(folder)
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None  # not Linux: nothing is known, nothing is refused
    return linux_share(folder, mounts)


def linux_share(folder: Path, mounts: str) -> str | None:
    """Return the type of the share that holds a folder, given the text of /proc/mounts."""
    best, kind = Path("/"), None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, mount point, type
            continue
        point = Path(_unescaped(fields[1]))
        if folder.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return kind if kind in SHARE_TYPES.split() else None


def _unescaped(field: str) -> str:
    for code in ("040", "011", "012", "134"):
        field = field.replace(f"\\{code}", chr(int(code, 8)))
    return field


def _service(root: Path) -> str | None:
    name = root.name.lower()
    if name in SERVICE_FOLDERS:
        return SERVICE_FOLDERS[name]
    if name.startswith("onedrive - ") or str(root) in map(os.environ.get, ONEDRIVE_VARIABLES):
        return "OneDrive"
    try:
        return _service_by_marker(root)
    except OSError:
        return None  # a folder above that may not be read says nothing


def _service_by_marker(root: Path) -> str | None:
    by_name = (found for marker, found in SERVICE_MARKERS.items() if (root / marker).exists())
    by_pattern = (found for glob, found in SERVICE_PATTERNS.items() if any(root.glob(glob)))
    return next(chain(by_name, by_pattern), None)


def _windows_share(folder: Path) -> str | None:
    anchor = folder.anchor
    if anchor.startswith("\\\\") and not anchor.startswith(("\\\\?\\", "\\\\.\\")):
        return "UNC path"
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows alone
    return "network drive" if kernel.GetDriveTypeW(anchor) == DRIVE_REMOTE else None


class _Statfs(ctypes.Structure):
    """``struct statfs`` of macOS with 64-bit inodes (sys/mount.h)."""

    _fields_ = (
        ("f_bsize", ctypes.c_uint32),
        ("f_iosize", ctypes.c_int32),
        ("f_counts", ctypes.c_uint64 * 5),
        ("f_fsid", ctypes.c_int32 * 2),
        ("f_owner", ctypes.c_uint32),
        ("f_type", ctypes.c_uint32),
        ("f_flags", ctypes.c_uint32),
        ("f_fssubtype", ctypes.c_uint32),
        ("f_fstypename", ctypes.c_char * 16),
        ("f_mntonname", ctypes.c_char * 1024),
        ("f_mntfromname", ctypes.c_char * 1024),
        ("f_reserved", ctypes.c_uint32 * 8),
    )


def _macos_share(folder: Path) -> str | None:
    libc = ctypes.CDLL(None, use_errno=True)
    statfs = getattr(libc, "statfs$INODE64", None) or libc.statfs
    found = _Statfs()
    if statfs(os.fsencode(folder), ctypes.byref(found)) != 0:
        return None
    return None if found.f_flags & MNT_LOCAL else found.f_fstypename.decode("ascii", "replace")
