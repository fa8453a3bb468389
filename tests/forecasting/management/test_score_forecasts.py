import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

PLAN = {"company": "acme", "base_currency": "USD", "as_of": "2025-03-31", "opening_balance": {"USD": "10000.00"}}


def events() -> list[str]:
    return [
        json.dumps(
            {
                "source": "card",
                "event_type": "expense",
                "amount": "100.00",
                "currency": "USD",
                "occurred_at": f"2025-{month:02}-{day:02}T12:00:00-05:00",
                "account": "card",
                "category": "card",
                "counterparty": "Cafe",
                "external_ref": f"{month}-{day}",
                "metadata": {},
            }
        )
        for month in (1, 2, 3)
        for day in range(1, 29)
    ]


def company(folder: Path, *, lines: list[str] | None = None, truth: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True)
    with gzip.open(folder / "events.ndjson.gz", "wt") as out:
        out.write("\n".join(events() if lines is None else lines))
    (folder / "plan.json").write_text(json.dumps(PLAN))
    if truth is not None:
        (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def score(folder: Path, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("score_forecasts", folder, json=True, paths=500, stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


def test_it_forecasts_every_folder_without_a_database(tmp_path: Path):
    company(tmp_path / "one")
    (tmp_path / "notes").mkdir()
    result = score(tmp_path)
    assert list(result["companies"]) == ["one"]
    # 28 of 31 days cost 100, so 10,000 last about 110 days.
    assert result["companies"]["one"]["p50_days"] == pytest.approx(107, abs=8)
    assert result["summary"] is None


def test_it_scores_against_the_truth(tmp_path: Path):
    company(tmp_path / "one", truth={"regime": "calm", "true_day": 108, "futures": [100, 108, None]})
    company(tmp_path / "two", truth={"regime": "calm", "true_day": 108})
    found = score(tmp_path)["summary"]
    assert (found["companies"], found["truths"]) == (2, 4)
    assert found["regimes"]["calm"]["linear90_median_error_days"] is not None
    assert found["overall"]["oracle_crps_days"] is None


def test_what_was_delivered_twice_counts_once(tmp_path: Path):
    company(tmp_path / "once")
    company(tmp_path / "twice", lines=events() + events())
    result = score(tmp_path)["companies"]
    assert result["once"]["bands"] == result["twice"]["bands"]


def test_the_table_is_for_people(tmp_path: Path):
    company(tmp_path / "one", truth={"regime": "calm", "true_day": 108})
    out = StringIO()
    call_command("score_forecasts", tmp_path, paths=500, stdout=out)
    assert "p50" in out.getvalue()
    assert "overall" in out.getvalue()
    assert "Reliability" in out.getvalue()


def test_a_refusal_is_told_and_does_not_stop_the_rest(tmp_path: Path):
    company(tmp_path / "empty", lines=[])
    company(tmp_path / "one")
    result = score(tmp_path)["companies"]
    assert "no expense is recorded" in result["empty"]["refused"][0]
    assert result["one"]["p50_days"] > 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("plan.json", '{"tranches": 5}', "one/plan.json: tranches"),
        ("plan.json", "{", "one/plan.json"),
        ("truth.json", '{"futures": ["soon"]}', "one/truth.json"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: str, message: str):
    (company(tmp_path / "one") / name).write_text(content)
    with pytest.raises(CommandError, match=message):
        score(tmp_path)


def test_a_wrong_event_is_named_with_its_line(tmp_path: Path):
    company(tmp_path / "one", lines=[*events()[:3], events()[3].replace("-05:00", "")])
    with pytest.raises(CommandError, match=r"one/events\.ndjson\.gz, line 4: occurred_at"):
        score(tmp_path)


def test_a_packed_file_that_is_cut_off_or_none_at_all_is_named(tmp_path: Path):
    packed = company(tmp_path / "one") / "events.ndjson.gz"
    for content in (packed.read_bytes()[:-20], b"no archive"):
        packed.write_bytes(content)
        with pytest.raises(CommandError, match=r"one/events\.ndjson\.gz, after line \d+: "):
            score(tmp_path)


def test_a_folder_without_companies_is_refused(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CommandError):
            score(folder)


def test_the_shared_companies_are_forecast_as_well_as_the_model_card_says(shared_data: Path):
    found = score(shared_data / "companies")["summary"]
    overall = found["overall"]
    assert overall["crps_over_oracle"] <= 1.25
    assert overall["median_error_over_linear90"] <= 0.55
    assert 0.88 <= overall["coverage"] <= 0.96
    assert 0.01 <= overall["below_p5"] <= 0.07
    assert all(regime["coverage"] >= 0.80 for regime in found["regimes"].values())
