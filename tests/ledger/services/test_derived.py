from django.db import connection, transaction

from ledger.services.derived import derive, derived_only


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


def test_one_statement_alone_does_not_wait_either_and_tells_its_rows(committed_db):
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("CREATE TEMPORARY TABLE said (waits text)")
    say = "INSERT INTO said SELECT current_setting('synchronous_commit') FROM generate_series(1, %(rows)s)"
    assert derive(say, {"rows": 3}) == 3
    assert shown("synchronous_commit") == "on"
    with transaction.atomic():
        assert derive(say, {"rows": 2}) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT waits, count(*) FROM said GROUP BY 1 ORDER BY 2")
        assert cursor.fetchall() == [("on", 2), ("off", 3)]
    connection.close()
