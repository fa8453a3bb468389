import numpy as np

from bench.known_medians import median_error, report


def test_errors_of_all_companies_are_pooled():
    truths = np.array([[10.0, 20.0, 30.0], [100.0, 100.0, 140.0]])
    assert median_error(np.array([20.0, 100.0]), truths) == 5.0  # of 10, 0, 10 and 0, 0, 40


def test_a_company_on_the_wrong_side_is_told_apart():
    truths = np.array([np.arange(90.0, 111.0), np.arange(190.0, 211.0)])
    law = np.array([np.linspace(90, 110, 99), np.linspace(210, 230, 99)])
    near, far = (line for line in report(["near", "far"], law, truths) if "p50" in line)
    assert near.startswith("near: p50 100, true 100, 52% of futures end by ours")
    assert far.startswith("far: p50 220, true 200, 100% of futures end by ours")
    assert far.endswith("with the true one 5.0")
