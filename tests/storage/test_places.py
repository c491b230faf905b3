"""Folders where a database would not be safe."""

from pathlib import Path

import pytest

from evdesk.domain.errors import StorageError
from evdesk.storage.places import linux_share, refuse_bad_place

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv/nfs nfs4 rw 0 0
//nas/site /mnt/My\\040Nas cifs rw 0 0
/dev/sdb1 /srv/nfs/local ext4 rw 0 0
me@host:/ /data/remote fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/data/site", None),
        ("/srv/nfs/site", "nfs4"),
        ("/srv/nfs", "nfs4"),
        ("/srv/nfsx", None),
        ("/srv/nfs/local/site", None),
        ("/mnt/My Nas/site", "cifs"),
        ("/data/remote/a/b", "fuse.sshfs"),
    ],
)
def test_a_share_is_known_by_its_mount(folder, kind) -> None:
    assert linux_share(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("name", ["Dropbox", "OneDrive - Depot GmbH", "Nextcloud", "iCloud Drive"])
def test_a_synchronised_folder_is_refused_with_its_name(tmp_path, name) -> None:
    with pytest.raises(StorageError, match="synchronises"):
        refuse_bad_place(tmp_path / name / "sites" / "depot")


@pytest.mark.parametrize("marker", [".stfolder", ".dropbox.cache", "._sync_1234.db"])
def test_a_synchronised_folder_is_known_by_what_lies_in_it(tmp_path, marker) -> None:
    (tmp_path / marker).touch()
    with pytest.raises(StorageError, match="Nothing was created"):
        refuse_bad_place(tmp_path / "depot")


def test_a_folder_that_onedrive_claims_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OneDriveCommercial", str(tmp_path))
    with pytest.raises(StorageError, match="OneDrive"):
        refuse_bad_place(tmp_path / "depot")


def test_a_link_into_a_synchronised_folder_is_followed(tmp_path) -> None:
    (tmp_path / "Dropbox" / "depot").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "Dropbox" / "depot")
    with pytest.raises(StorageError, match="Dropbox"):
        refuse_bad_place(tmp_path / "link" / "site")


def test_an_ordinary_folder_is_fine(tmp_path) -> None:
    refuse_bad_place(tmp_path / "not" / "yet" / "there")
