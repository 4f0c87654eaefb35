//! How a measurement is handed to `benches/report.py`: a line of JSON for each contender and quantity.

/// The values of a row, by contender and quantity, in the order in which they came.
pub struct Report {
    row: &'static str,
    values: Vec<(String, String, Vec<f64>)>,
}

impl Report {
    /// Nothing is measured yet.
    #[must_use]
    pub fn new(row: &'static str) -> Report {
        Report { row, values: Vec::new() }
    }

    /// A contender's value in this round.
    pub fn add(&mut self, contender: &str, quantity: &str, value: f64) {
        let is_it = |(c, q, _): &&mut (String, String, Vec<f64>)| c == contender && q == quantity;
        match self.values.iter_mut().find(is_it) {
            Some((_, _, values)) => values.push(value),
            None => self.values.push((contender.to_owned(), quantity.to_owned(), vec![value])),
        }
    }

    /// Prints what there is.
    pub fn print(&self) {
        for (contender, quantity, values) in &self.values {
            println!(
                "{{\"row\":\"{}\",\"contender\":\"{contender}\",\"quantity\":\"{quantity}\",\"values\":{values:?}}}",
                self.row
            );
        }
    }
}
