"""What a web process does beside answering, once."""

from capstack import warm_up


def test_a_process_that_has_started_warms_up_a_moment_later_in_a_thread_that_holds_nobody_up(monkeypatch):
    called = []
    monkeypatch.setattr(warm_up, "AFTER_SECONDS", 0.01)
    monkeypatch.setattr("forecasting.services.warm_up.warm_up", lambda *, now: called.append(now))
    thread = warm_up.warm_up_soon()
    assert thread.daemon
    thread.join(timeout=30)
    assert not thread.is_alive()
    (now,) = called
    assert now.tzinfo is not None
