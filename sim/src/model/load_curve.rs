//! The growth of the service time with the number of busy workers.

/// The factor of the service time by the number of busy workers, the one in question included.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadCurve {
    /// (busy workers, factor), ascending; linear between the entries and constant outside.
    Table(Vec<(f64, f64)>),
    /// The universal scalability law (Gunther 1993): 1 + σ (n − 1) + κ n (n − 1).
    Scalability {
        /// σ: the serial share.
        contention: f64,
        /// κ: the cost of keeping two workers in agreement.
        coherency: f64,
    },
}

impl LoadCurve {
    /// The factor of the service time with this many busy workers.
    pub fn factor(&self, busy: u32) -> f64 {
        let busy = f64::from(busy.max(1));
        match self {
            LoadCurve::Scalability {
                contention,
                coherency,
            } => 1.0 + contention * (busy - 1.0) + coherency * busy * (busy - 1.0),
            LoadCurve::Table(table) => interpolate(table, busy),
        }
    }
}

/// Linear between the points of a table, constant outside.
fn interpolate(table: &[(f64, f64)], x: f64) -> f64 {
    let after = table.partition_point(|(at, _)| *at < x);
    match (
        after.checked_sub(1).map(|before| table[before]),
        table.get(after),
    ) {
        (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (None, Some(&(_, y))) | (Some((_, y)), None) => y,
        (None, None) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_linear_between_its_points_and_constant_outside() {
        let table = [(1.0, 1.0), (3.0, 2.0), (5.0, 6.0)];
        let at = |x| interpolate(&table, x);
        assert_eq!([at(0.5), at(1.0), at(2.0), at(3.0)], [1.0, 1.0, 1.5, 2.0]);
        assert_eq!([at(4.0), at(5.0), at(9.0)], [4.0, 6.0, 6.0]);
    }
}
