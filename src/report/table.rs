//! Rows and columns of a report.

/// A table whose first column names its rows and whose others hold their figures.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Table {
        let mut table = Table::default();
        table.row(headings.iter().map(|heading| (*heading).to_owned()));
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows, the headings first.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }
}
