//! Many tests at once.

/// Which of these tests are significant when all of them together shall call something significant by chance in no more
/// than `alpha` of the cases (Holm 1979): the smallest p is held against alpha / n, the next against alpha / (n − 1), until one is
/// not below.
pub fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut significant = vec![false; p.len()];
    for (rank, at) in order.into_iter().enumerate() {
        if p[at] > alpha / (p.len() - rank) as f64 {
            break;
        }
        significant[at] = true;
    }
    significant
}

/// Writes beside each p whether it is significant among all of these. How many there are.
pub fn mark_together(tested: &mut [(f64, &mut Option<bool>)], alpha: f64) -> usize {
    let p: Vec<f64> = tested.iter().map(|(p, _)| *p).collect();
    for ((_, mark), significant) in tested.iter_mut().zip(holm(&p, alpha)) {
        **mark = Some(significant);
    }
    p.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_is_held_against_how_many_are_left() {
        // 0.05 / 4, / 3, / 2, / 1.
        let p = [0.03, 0.012, 0.04, 0.016];
        assert_eq!(holm(&p, 0.05), [false, true, false, true]);
        assert_eq!(holm(&[0.04], 0.05), [true]);
        assert_eq!(holm(&[0.04, 0.9], 0.05), [false, false]);
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
        // One that fails ends it, whatever comes after.
        assert_eq!(holm(&[0.001, 0.03, 0.03], 0.05), [true, false, false]);
    }
}
