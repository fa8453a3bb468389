from capstack.embedded.endpoints import Endpoints, read_endpoints, write_endpoints


def test_what_is_written_is_read_and_only_its_owner_may_read_it(folder):
    endpoints = Endpoints(pid=7, environment={"REDIS_URL": "redis://x"}, web_url="http://127.0.0.1:8000")
    write_endpoints(path=folder.endpoints, endpoints=Endpoints(pid=6))
    write_endpoints(path=folder.endpoints, endpoints=endpoints)
    assert read_endpoints(path=folder.endpoints) == endpoints
    assert folder.endpoints.stat().st_mode & 0o777 == 0o600


def test_half_a_file_counts_as_none(folder):
    folder.endpoints.write_text('{"pid": 7, "envir')
    assert read_endpoints(path=folder.endpoints) is None
    folder.endpoints.write_text("[]")
    assert read_endpoints(path=folder.endpoints) is None
    folder.endpoints.unlink()
    assert read_endpoints(path=folder.endpoints) is None
