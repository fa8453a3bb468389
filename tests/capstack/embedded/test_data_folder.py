import os

import pytest

from capstack.embedded.data_folder import open_data_folder, secret_key
from capstack.supervision.problems import CannotStart


def test_a_key_is_drawn_once_and_only_its_owner_may_read_it(folder):
    key = secret_key(folder=folder)
    assert len(key) >= 50
    assert secret_key(folder=folder) == key
    assert (folder.path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_two_installations_have_different_keys(folder, open_dir):
    assert secret_key(folder=folder) != secret_key(folder=open_data_folder(open_dir / "other"))


def test_an_existing_folder_keeps_its_mode(open_dir):
    existing = open_dir / "existing"
    existing.mkdir()
    existing.chmod(0o750)
    open_data_folder(existing)
    assert existing.stat().st_mode & 0o777 == 0o750


def test_a_new_folder_can_be_passed_through_by_the_servers_user_alone_as_root(open_dir):
    folder = open_data_folder(open_dir / "new")
    assert folder.path.stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


def test_a_folder_that_is_a_file_is_refused_by_name(open_dir):
    (open_dir / "file").write_text("")
    with pytest.raises(CannotStart, match=r"the data folder .*/file cannot be used"):
        open_data_folder(open_dir / "file")
