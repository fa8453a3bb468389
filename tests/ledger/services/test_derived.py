from django.db import connection, transaction

from ledger.services.derived import derived_only


def shown(setting):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return cursor.fetchone()[0]


def test_a_commit_of_what_is_derived_does_not_wait_and_the_next_one_does(committed_db):
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")  # test servers wait for nothing
    with derived_only(first_words="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"):
        assert shown("synchronous_commit") == "off"
        assert shown("transaction_isolation") == "repeatable read"
    assert shown("synchronous_commit") == "on"
    assert shown("transaction_isolation") == "read committed"
    connection.close()  # and with it, what was set


def test_the_commit_of_a_caller_waits_as_the_caller_wants(committed_db):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = on")
        with derived_only(first_words="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"):
            assert shown("transaction_isolation") == "read committed"
        assert shown("synchronous_commit") == "on"
