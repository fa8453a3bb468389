"""The least disruptive steps that save enough, against trying every combination."""

from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudpolicy.engine import cheapest
from cloudpolicy.engine.cheapest import Choice, Disruption, Option, Shrinkable, cheapest_choice

D = Decimal
options = st.lists(
    st.builds(Option, st.integers(1, 4), st.integers(1, 12).map(D)),
    max_size=3,
    unique_by=lambda each: each.removed,
)
groups_of_any_kind = st.lists(st.builds(Shrinkable, st.just("g"), st.booleans(), options.map(tuple)), max_size=5)


def by_trying(groups: list[Shrinkable], wanted: Decimal) -> tuple[Disruption, Decimal] | None:
    """Disruption and saving of the best combination."""
    found = []
    for picked in product(*((None, *group.options) for group in groups)):
        disruption, saving = Disruption(), D(0)
        for group, option in zip(groups, picked, strict=True):
            if option is not None:
                disruption, saving = disruption.plus(group, option), saving + option.monthly_saving
        if saving >= wanted:
            found.append((disruption, -saving))
    return (min(found)[0], -min(found)[1]) if found else None


@settings(max_examples=150, deadline=None)
@given(groups_of_any_kind, st.integers(0, 40).map(D))
def test_it_finds_what_trying_everything_finds(groups: list[Shrinkable], wanted: Decimal) -> None:
    choice = cheapest_choice(groups=groups, wanted=wanted)
    best = by_trying(groups, wanted)
    if best is None or choice is None:
        assert choice is best is None
        return
    if wanted > 0:
        assert (choice.disruption, choice.monthly_saving) == best
    assert choice.is_exact
    assert len({place for place, _ in choice.picked}) == len(choice.picked)
    assert choice.monthly_saving == sum((option.monthly_saving for _, option in choice.picked), D(0))


def shrinkable(count: int, *, production: bool, saving: str) -> Shrinkable:
    return Shrinkable("g", production, tuple(Option(n, n * D(saving)) for n in range(1, count + 1)))


def test_production_comes_last_however_much_it_saves() -> None:
    groups = [shrinkable(8, production=True, saving="100"), shrinkable(3, production=False, saving="1")]
    choice = cheapest_choice(groups=groups, wanted=D(3))
    assert choice is not None
    assert [place for place, _ in choice.picked] == [1]
    more = cheapest_choice(groups=groups, wanted=D(4))
    assert more is not None
    assert more.disruption == Disruption(1, 1, 1)


def test_a_large_plan_is_still_covered_and_says_that_it_may_not_be_the_best() -> None:
    groups = [
        Shrinkable("g", False, tuple(Option(n, D(n * (7 + place)) + D(place) / 97) for n in range(1, 9)))
        for place in range(12)
    ]
    most = cheapest.MOST_CHOICES
    try:
        cheapest.MOST_CHOICES = 20
        thin = cheapest_choice(groups=groups, wanted=D(500))
    finally:
        cheapest.MOST_CHOICES = most
    exact = cheapest_choice(groups=groups, wanted=D(500))
    assert thin is not None
    assert exact is not None
    assert (thin.is_exact, exact.is_exact) == (False, True)
    assert thin.monthly_saving >= 500
    assert exact.disruption <= thin.disruption <= Disruption(0, exact.disruption.instances + 3, 12)


def test_nothing_is_taken_where_nothing_is_wanted() -> None:
    assert cheapest_choice(groups=[], wanted=D(0)) == Choice((), D(0), Disruption())
    assert cheapest_choice(groups=[], wanted=D(1)) is None
