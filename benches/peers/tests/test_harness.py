"""The harness on runs that are made up, so that each of its judgements can be seen to fall."""

import contextlib
import io
import os
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from harness import comparison, tools
from harness.check import Checker
from harness.measure import measure
from harness.plan import BLIS, CASES, PEERS
from harness.tools import Run, ToolError


def a_run(tool, case="A", rate=100.0, mean=None, warmup=None, requests=1_000_000, throughput=None):
    """A run at ``rate``, by default with the exact mean."""
    return Run(
        tool=tool,
        case=case,
        requests=requests,
        seconds=requests / rate,
        setup_seconds=0.0,
        mean_response_s=CASES[case]["response_s"] if mean is None else mean,
        mean_requests=requests,
        warmup_s=CASES[case]["warmup_s"] if warmup is None else warmup,
        throughput_rps=throughput,
        peak_mb=1.0,
    )


def an_estimate(case, requests, runs, warmup_s):
    """A reference with 0.1 % deviation, whose mean is twice the exact one unless warmed up."""
    exact = CASES[case]["response_s"]
    return {"mean_response_s": exact if warmup_s else 2 * exact, "deviation_s": 0.001 * exact}


def rows(**rates):
    """Rows of case A in which each tool has the given rates, one for each round."""
    runs = {tool: [a_run(tool, rate=rate) for rate in each] for tool, each in rates.items()}
    return comparison.rows_of("A", runs, Checker(an_estimate))


class Means(unittest.TestCase):
    def check(self, **of_run):
        return Checker(an_estimate).check([a_run("simpy", **of_run)])

    def test_a_steady_mean_is_held_to_the_exact_value(self):
        exact = CASES["A"]["response_s"]
        self.assertTrue(self.check().passed)
        self.assertTrue(self.check(mean=1.009 * exact).passed)
        self.assertFalse(self.check(mean=1.011 * exact).passed)
        self.assertFalse(self.check(mean=0.989 * exact).passed)

    def test_a_mean_without_warm_up_is_held_to_the_reference(self):
        exact = CASES["A"]["response_s"]
        self.assertFalse(self.check(warmup=0.0).passed)
        self.assertTrue(self.check(warmup=0.0, mean=2.0 * exact).passed)

    def test_a_throughput_is_held_to_the_exact_value(self):
        exact = CASES["A"]["throughput_rps"]
        self.assertTrue(self.check(throughput=1.009 * exact).passed)
        self.assertFalse(self.check(throughput=1.011 * exact).passed)
        self.assertFalse(self.check(throughput=0.989 * exact).passed)
        self.assertTrue(self.check(throughput=0.95 * exact, requests=10_000).passed)

    def test_a_short_run_is_given_the_tolerance_of_its_size(self):
        long = self.check(requests=1_000_000).tolerance_s
        short = self.check(requests=2_000).tolerance_s
        self.assertGreater(short, 5 * long)

    def test_rounds_of_one_seed_do_not_narrow_the_tolerance(self):
        exact = CASES["A"]["response_s"]
        one = a_run("blis", requests=2_000, mean=exact)
        other = a_run("blis", requests=2_000, mean=exact * 1.000001)
        same = Checker(an_estimate).check([one, one, one, one])
        apart = Checker(an_estimate).check([one, other])
        self.assertAlmostEqual(same.tolerance_s / apart.tolerance_s, 2**0.5)

    def test_a_warm_up_too_short_is_refused(self):
        with self.assertRaisesRegex(ToolError, "neither 0"):
            self.check(warmup=0.5)


class Verdict(unittest.TestCase):
    def test_blis_ahead_of_all_is_success(self):
        code, complaints = comparison.verdict(rows(blis=[100.0] * 3, simpy=[99.0, 101.0, 99.0]))
        self.assertEqual((code, complaints), (0, []))

    def test_blis_behind_one_is_exit_1_and_names_it(self):
        found = rows(blis=[100.0] * 3, simpy=[10.0] * 3, nexosim=[99.0, 101.0, 101.0])
        code, complaints = comparison.verdict(found)
        self.assertEqual(code, 1)
        self.assertEqual(complaints, ["case A: blis is not ahead of nexosim"])

    def test_a_draw_is_not_ahead(self):
        self.assertEqual(comparison.verdict(rows(blis=[5.0], simpy=[5.0]))[0], 1)

    def test_ratios_are_taken_round_by_round(self):
        found = rows(blis=[100.0, 50.0], simpy=[50.0, 10.0])
        self.assertEqual(found[1].ratios, [2.0, 5.0])

    def test_a_wrong_mean_is_exit_2_whoever_is_ahead(self):
        runs = {BLIS: [a_run(BLIS, rate=1.0)], "simpy": [a_run("simpy", rate=2.0, mean=1.0)]}
        found = comparison.rows_of("A", runs, Checker(an_estimate))
        self.assertEqual(comparison.verdict(found)[0], 2)
        self.assertIn("**wrong**", comparison.table(found))

    def test_an_infeasible_case_is_shown_with_its_extrapolated_rate(self):
        runs = {
            BLIS: [a_run(BLIS, case="C", requests=8_000_000)],
            "ciw": [a_run("ciw", case="B2", rate=700.0)],
        }
        shown = comparison.table(comparison.rows_of("C", runs, Checker(an_estimate)))
        self.assertIn("| C | ciw | 7.0 (infeasible: O(N) per event; extrapolated", shown)


class Order(unittest.TestCase):
    def test_tools_alternate_and_every_second_round_goes_backwards(self):
        made = []

        def run(tool, case, requests, seed):
            made.append((tool, case, seed))
            return a_run(tool, case=case)

        with contextlib.redirect_stderr(io.StringIO()):
            measure("C", 2, run=run)
        tools_in_order = [tool for tool, _, _ in made]
        self.assertEqual(tools_in_order[:5], [BLIS, *PEERS])
        self.assertEqual(tools_in_order[5:], [*reversed(PEERS), BLIS])
        self.assertIn(("ciw", "B2", 1), made)
        self.assertIn(("simpy", "C", 2), made)


class Protocol(unittest.TestCase):
    def line(self, **changes):
        good = {"case": "A", "requests": 10, "seconds": 2.0, "mean_response_s": 0.01, "peak_mb": 1}
        return {**good, **changes}

    def test_the_four_fields_of_blis_are_enough(self):
        run = tools.parsed(BLIS, "A", self.line())
        self.assertEqual((run.rate, run.warmup_s, run.mean_requests), (5.0, 0.0, 10))

    def test_a_line_of_another_case_or_without_a_mean_is_refused(self):
        bad_lines = ({"case": "B1"}, {"mean_response_s": None}, {"seconds": 0}, {"requests": 0})
        for bad in (*bad_lines, {"mean_response_s": float("nan")}):
            with self.subTest(bad=bad), self.assertRaises(ToolError):
                tools.parsed(BLIS, "A", self.line(**bad))

    def test_an_executable_given_by_the_environment_is_called_with_case_and_requests(self):
        with mock.patch.dict(os.environ, {tools.EXECUTABLE_VARIABLE: "some-program"}):
            command, _ = tools.command_of(BLIS, "B1", 42, 7)
        self.assertEqual(command, ["some-program", "B1", "42"])

    @unittest.skipIf(os.name == "nt", "the stand-in is a shell script")
    def test_a_tool_that_fails_or_says_something_else_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, script in enumerate(("echo '{}'; exit 3", "echo hello", "echo 5")):
                path = Path(folder) / f"tool{number}"
                path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
                with self.subTest(script=script), self.assertRaises(ToolError):
                    tools.output_of([str(path)], Path(folder))
            with self.assertRaises(ToolError):
                tools.output_of([str(Path(folder) / "absent")], Path(folder))


if __name__ == "__main__":
    unittest.main()
