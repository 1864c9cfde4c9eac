"""The figures of ``cases.json`` against the closed forms they stand for."""

import math
import unittest

from harness.plan import CASES, INFEASIBLE, PEERS, REQUESTS, extrapolated


def repairman(users, think_s, servers, service_s):
    """Throughput and mean response of M/M/c//N (machine repairman), in logarithms.

    The weight of n users at the station is prod_{j<=n} (N-j+1)/Z / (min(j,c)/S).
    """
    logs = [0.0]
    for present in range(1, users + 1):
        arrival = (users - present + 1) / think_s
        completion = min(present, servers) / service_s
        logs.append(logs[-1] + math.log(arrival / completion))
    top = max(logs)
    weights = [math.exp(each - top) for each in logs]
    busy = sum(min(present, servers) * weight for present, weight in enumerate(weights))
    throughput = busy / sum(weights) / service_s
    # Little's law at the station; N/X - Z would cancel all but a few digits.
    mean_present = sum(present * weight for present, weight in enumerate(weights)) / sum(weights)
    return throughput, mean_present / throughput


class Plan(unittest.TestCase):
    def test_closed_cases_have_the_exact_figures(self):
        for name in ("A", "B1", "B2", "C"):
            case = CASES[name]
            throughput, response = repairman(
                case["users"], case["think_s"], case["servers"], case["service_s"]
            )
            with self.subTest(case=name):
                self.assertAlmostEqual(case["throughput_rps"] / throughput, 1.0, delta=1e-6)
                self.assertAlmostEqual(case["response_s"] / response, 1.0, delta=1e-5)

    def test_the_open_case_has_the_exact_figures(self):
        case = CASES["D"]
        self.assertEqual(case["servers"], 1)
        self.assertAlmostEqual(case["throughput_rps"], case["rate_rps"])
        self.assertAlmostEqual(case["response_s"], 1 / (1 / case["service_s"] - case["rate_rps"]))

    def test_every_tool_has_a_size_or_a_reason_in_every_case(self):
        for tool in ("blis", *PEERS):
            for case in CASES:
                with self.subTest(tool=tool, case=case):
                    self.assertNotEqual(case in REQUESTS[tool], (tool, case) in INFEASIBLE)

    def test_a_cost_per_user_is_extrapolated_by_the_number_of_users(self):
        self.assertAlmostEqual(extrapolated(700.0, "B2", "C"), 7.0)
