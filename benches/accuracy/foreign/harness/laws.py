"""Throughput over concurrency by formula: linear, and the universal scalability law (Gunther 1993).

Both are fitted by least squares to the throughputs of the loads that the model is fitted to, so that the table shows
whether a simulation predicts better than a formula.
"""


def linear(points):
    """The straight line through the origin that is closest to ``points``: twice the users, twice the throughput."""
    slope = sum(n * x for n, x in points) / sum(n * n for n, _ in points)
    return lambda users: slope * users


def universal(points):
    """X(n) = r n / (1 + contention (n - 1) + coherency n (n - 1)), closest to ``points``; all three at least 0.

    With q = n / X the law is linear: q = (1 + contention (n - 1) + coherency n (n - 1)) / r. Gauss-Newton over these
    coefficients makes it the squares of X that are least. A coefficient that would be negative is left out.
    """
    fits = [fit(points, columns) for columns in ((0,), (0, 1), (0, 2), (0, 1, 2))]
    coefficients = min((each for each in fits if each), key=lambda each: squares(points, each))
    rate = 1 / coefficients[0]
    return lambda users: users / time(users, coefficients), (rate, *(rate * c for c in coefficients[1:]))


def terms(users):
    """What the three coefficients are multiplied with."""
    return 1.0, users - 1.0, users * (users - 1.0)


def time(users, coefficients):
    """q of the law: how long each of the users takes for a request."""
    return sum(c * term for c, term in zip(coefficients, terms(users)))


def squares(points, coefficients):
    """The sum of squared differences in throughput."""
    return sum((x - n / time(n, coefficients)) ** 2 for n, x in points)


def fit(points, columns):
    """The coefficients of these columns, the others 0; None where one is negative."""
    current, best = None, None
    for _ in range(30):
        rows = []
        for n, x in points:
            q = time(n, current) if current else n / x
            # n / q is linear around the last q; its slope is the weight.
            weight = n / q**2
            rows.append(([weight * terms(n)[c] for c in columns], weight * (q - (x - n / q) * q**2 / n)))
        solved = iter(least_squares(rows))
        current = tuple(next(solved) if c in columns else 0.0 for c in range(3))
        if current[0] <= 0 or min(current) < 0:
            return best
        if best is None or squares(points, current) < squares(points, best):
            best = current
    return best


def least_squares(rows):
    """The solution of the normal equations, by elimination."""
    size = len(rows[0][0])
    table = [
        [sum(a[i] * a[j] for a, _ in rows) for j in range(size)] + [sum(a[i] * b for a, b in rows)]
        for i in range(size)
    ]
    for i in range(size):
        table[i] = [each / table[i][i] for each in table[i]]
        for j in range(size):
            if j != i:
                table[j] = [a - table[j][i] * b for a, b in zip(table[j], table[i])]
    return [row[-1] for row in table]
