import pytest

from capstack.embedded.services import demo_cloud, missing_services

YOURS = {
    "DATABASE_URL": "postgresql://db.example.com/capstack",
    "REDIS_URL": "redis://cache.example.com",
    "REDIS_QUEUE_URL": "redis://queue.example.com",
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), ["postgres", "redis-cache", "redis-queue"]),
        (("DATABASE_URL",), ["redis-cache", "redis-queue"]),
        (("REDIS_URL",), ["postgres"]),
        (("REDIS_QUEUE_URL",), ["postgres", "redis-cache"]),
        (("DATABASE_URL", "REDIS_URL"), []),
    ],
)
def test_it_brings_what_the_environment_does_not_name(folder, given, expected):
    services = missing_services(folder=folder, environ={name: YOURS[name] for name in given})
    assert [service.program.name for service in services] == expected


def test_a_url_in_a_file_is_named_as_well(folder):
    environ = {"DATABASE_URL_FILE": "/run/secrets/database-url", "REDIS_URL": "redis://cache.example.com"}
    assert missing_services(folder=folder, environ=environ) == ()


def test_an_endpoint_of_yours_is_not_pretended(folder):
    assert demo_cloud(folder=folder, environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}) is None
    pretended = demo_cloud(folder=folder, environ={})
    assert pretended is not None
    assert pretended.environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
