"""Throughput over concurrency by formula: linear, and the universal scalability law (Gunther 1993).

Both are fitted by least squares to the same measurements as the model, so that the table shows whether a
simulation predicts better than a formula.
"""


def linear(points):
    """The straight line through the origin that is closest to ``points``: twice the users, twice the throughput."""
    slope = sum(n * x for n, x in points) / sum(n * n for n, _ in points)
    return lambda users: slope * users


def universal(points):
    """X(n) = r n / (1 + contention (n - 1) + coherency n (n - 1)), closest to ``points``; all three at least 0.

    For given contention and coherency the rate r has a closed form. Those two are searched on a grid of
    their logarithms that is refined around its best point.
    """

    def shape(users, contention, coherency):
        return users / (1 + contention * (users - 1) + coherency * users * (users - 1))

    def fitted(contention, coherency):
        shapes = [shape(n, contention, coherency) for n, _ in points]
        rate = sum(s * x for s, (_, x) in zip(shapes, points)) / sum(s * s for s in shapes)
        error = sum((rate * s - x) ** 2 for s, (_, x) in zip(shapes, points))
        return error, rate, contention, coherency

    # 10^-6 stands for none: at 256 users it changes the throughput by less than a tenth.
    grid = [0.0] + [10 ** (-6 + 0.25 * step) for step in range(27)]
    best = min(fitted(a, b) for a in grid for b in grid)
    width = 10**0.25
    for _ in range(40):
        _, _, contention, coherency = best
        nearby = [(1 / width, 1, width)] * 2
        best = min(
            [best] + [fitted(contention * a, coherency * b) for a in nearby[0] for b in nearby[1]]
        )
        width **= 0.85
    _, rate, contention, coherency = best
    return lambda users: rate * shape(users, contention, coherency), (rate, contention, coherency)
