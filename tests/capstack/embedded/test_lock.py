import os
import subprocess
import sys

from capstack.embedded.lock import FolderLock, GuestLock, Holder

HOLD = (
    "import pathlib, sys, time; from capstack.embedded.data_folder import DataFolder;"
    " from capstack.embedded.lock import FolderLock;"
    " lock = FolderLock(folder=DataFolder(path=pathlib.Path(sys.argv[1])));"
    " print(lock.acquire(kind='up'), flush=True); time.sleep(60)"
)


def test_only_one_may_hold_a_folder_and_says_who_it_is(folder):
    first, second = FolderLock(folder=folder), FolderLock(folder=folder)
    assert first.acquire(kind="up")
    assert not second.acquire(kind="command")
    assert second.holder() == Holder(pid=os.getpid(), kind="up")
    assert second.holder_text() == f"capstack (process {os.getpid()})"
    first.release()
    assert second.acquire(kind="command")
    second.release()


def test_the_lock_of_a_killed_holder_is_free(folder):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder.path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    lock = FolderLock(folder=folder)
    assert not lock.acquire(kind="up")
    holder.kill()
    holder.wait()
    assert lock.acquire(kind="up")
    lock.release()


def test_a_child_does_not_keep_the_lock_of_its_parent(folder):
    lock = FolderLock(folder=folder)
    assert lock.acquire(kind="up")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lock.release()
    assert FolderLock(folder=folder).acquire(kind="up")
    child.kill()
    child.wait()


def test_guests_come_together_but_not_while_the_keeper_closes(folder):
    one, two, keeper = GuestLock(folder=folder), GuestLock(folder=folder), GuestLock(folder=folder)
    assert one.enter()
    assert two.enter()
    one.leave()
    two.leave()
    keeper.wait_until_alone()
    assert not one.enter()
    keeper.leave()
    assert one.enter()
    one.leave()
