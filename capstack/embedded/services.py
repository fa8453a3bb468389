"""Which servers an installation must bring itself, given what its environment already names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from capstack.embedded import postgres
from capstack.embedded.aws import KEYS, aws_program, free_loopback_url
from capstack.embedded.data_folder import DataFolder
from capstack.embedded.redis import CACHE_SETTINGS, QUEUE_SETTINGS, redis_program, redis_url
from capstack.supervision.program import Program
from capstack.variables import is_set

DATABASE = "capstack"


def _nothing() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Service:
    """An embedded server.

    Attributes:
        environment: variables that lead the application to it.
        after_start: makes what the application expects inside it.
    """

    title: str
    program: Program
    environment: Mapping[str, str]
    after_start: Callable[[], None] = field(default=_nothing)


def missing_services(*, folder: DataFolder, environ: Mapping[str, str]) -> tuple[Service, ...]:
    """Return the servers that `environ` names no address for.

    REDIS_URL alone serves cache and queues; with neither set there are two servers, because the cache may drop
    what it likes and the queues nothing.

    Raises:
        CannotStart: one of them cannot run on this machine.
    """
    services = []
    if not is_set("DATABASE_URL", environ):
        services.append(_postgres(folder=folder))
    if not is_set("REDIS_URL", environ):
        services.append(
            Service(
                title="Redis for the cache",
                program=redis_program(
                    name="redis-cache",
                    folder=folder.redis_cache,
                    settings=CACHE_SETTINGS,
                    log=folder.log("redis-cache"),
                ),
                environment={"REDIS_URL": redis_url(folder=folder.redis_cache)},
            )
        )
        if not is_set("REDIS_QUEUE_URL", environ):
            services.append(
                Service(
                    title="Redis for the queues",
                    program=redis_program(
                        name="redis-queue",
                        folder=folder.redis_queue,
                        settings=QUEUE_SETTINGS,
                        log=folder.log("redis-queue"),
                    ),
                    environment={"REDIS_QUEUE_URL": redis_url(folder=folder.redis_queue)},
                )
            )
    return tuple(services)


def demo_cloud(*, folder: DataFolder, environ: Mapping[str, str]) -> Service | None:
    """Return a pretended AWS for the demo, or None when `environ` names an endpoint to use instead."""
    if environ.get("AWS_ENDPOINT_URL"):
        return None
    url = free_loopback_url()
    return Service(
        title="a pretended AWS",
        program=aws_program(url=url, log=folder.log("aws")),
        environment={"AWS_ENDPOINT_URL": url, "DEMO_CLOUD": "on", **KEYS},
        after_start=lambda: _make_demo_groups(url=url, region=environ.get("AWS_REGION") or "us-east-1"),
    )


def _make_demo_groups(*, url: str, region: str) -> None:
    """A pretended cloud is empty at every start; a command that asks it finds the demo's groups."""
    from capstack.demo.cloud import seed_groups  # boto3 takes a moment to load, and only demos need it

    seed_groups(endpoint=url, region=region)


def _postgres(*, folder: DataFolder) -> Service:
    cluster = postgres.locate_cluster(pgdata=folder.pgdata, install_dir=folder.path)
    return Service(
        title="PostgreSQL",
        program=postgres.postgres_program(cluster=cluster, log=folder.log("postgres")),
        environment={"DATABASE_URL": cluster.url(database=DATABASE)},
        after_start=lambda: postgres.ensure_database(cluster=cluster, name=DATABASE),
    )
