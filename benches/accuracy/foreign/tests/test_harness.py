"""The formulas recover what they were made from, and targets are judged by what the README says."""

import unittest

from harness import laws, plan, table
from harness.blis import Figures


def row(at, predicted, measured, sd=0.0, interval=None, linear=0.0, usl=0.0):
    """A row of throughput."""
    return table.Row("stream", at, "throughput", predicted, measured, sd, interval, linear, usl)


class Laws(unittest.TestCase):
    """Fits to figures that follow a law exactly."""

    def test_a_line_is_recovered(self):
        self.assertAlmostEqual(laws.linear([(1, 10.0), (8, 80.0)])(64), 640.0)

    def test_the_scalability_law_is_recovered(self):
        for contention, coherency in [(0.0, 0.0), (0.2, 0.0), (0.05, 0.002), (1.0, 0.0), (0.9, 0.01)]:

            def law(n, a=contention, b=coherency):
                return 1000 * n / (1 + a * (n - 1) + b * n * (n - 1))

            fitted, _ = laws.universal([(n, law(n)) for n in plan.FITTED])
            for users in (16, 64, 256):
                self.assertLess(abs(fitted(users) / law(users) - 1), 0.01, (contention, coherency, users))


class Targets(unittest.TestCase):
    """What is kept and what is missed."""

    def test_at_16_two_spreads_are_allowed_where_they_are_more(self):
        self.assertTrue(row(16, 109, 100).kept())
        self.assertFalse(row(16, 112, 100).kept())
        self.assertTrue(row(16, 112, 100, sd=7).kept())
        self.assertFalse(row(16, 112, 100, interval=(90, 130)).kept())

    def test_at_64_the_stated_interval_counts(self):
        self.assertTrue(row(64, 119, 100).kept())
        self.assertFalse(row(64, 130, 100, sd=50).kept())
        self.assertTrue(row(64, 130, 100, interval=(95, 160)).kept())

    def test_other_loads_and_latencies_have_no_target(self):
        self.assertIsNone(row(128, 1, 100).kept())

    def test_four_of_five_have_to_be_better_than_a_formula(self):
        def judged(better):
            rows = []
            for index, name in enumerate("abcde"):
                for at in table.JUDGED:
                    usl = 150 if index < better else 100
                    rows.append(table.Row(name, at, "throughput", 105, 100, 1, None, 900, usl))
            return table.judgement(rows, list("abcde"))[1]

        self.assertTrue(judged(4))
        self.assertFalse(judged(3))

    def test_the_capacity_is_the_most_of_each_repeat(self):
        measured = {load: [Figures(float(load), 1, 1, 1), Figures(2.0 * load, 1, 1, 1)] for load in plan.LOADS}
        predicted = {load: Figures(300.0, 1, 1, 1) for load in plan.PREDICTED}
        last = table.rows_of("stream", measured, predicted, (0.9, 1.5))[-1]
        self.assertEqual((last.at, last.measured), (table.CAPACITY, 384.0))
        self.assertEqual(last.interval, (270.0, 450.0))


class Plan(unittest.TestCase):
    """The order and the length of what is measured."""

    def test_turns_go_up_and_down(self):
        loads = [load for _, load in plan.turns(2)]
        self.assertEqual(loads, [*plan.LOADS, *reversed(plan.LOADS)])

    def test_a_short_comparison_of_five_backends_takes_less_than_a_quarter_of_an_hour(self):
        judged = [backend for backend in plan.BACKENDS.values() if backend.judged]
        self.assertEqual(len(judged), 5)
        self.assertLess(len(judged) * plan.SHORT.most_s(), 15 * 60)


if __name__ == "__main__":
    unittest.main()
