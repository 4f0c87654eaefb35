//! Measuring in turns: in every round each contender has one, so that a slow moment of the machine hits
//! them all, and a ratio is one of the same round.
//!
//! A program that measures has rows, each a name and its contenders. It runs those that are named on
//! its command line, all if there are none, and lists them with `--list`. Progress goes to standard
//! error; what was measured to standard output, a line of JSON for each contender and quantity.

use std::io::{self, IsTerminal, Write};

/// Each measurement is repeated so often.
const ROUNDS: usize = 5;

/// What a turn has measured, by quantity.
pub type Measured = Vec<(String, f64)>;

/// One that takes turns with others.
pub struct Contender {
    name: String,
    turn: Box<dyn FnMut() -> io::Result<Measured>>,
}

impl Contender {
    /// `turn` measures once.
    pub fn new(
        name: impl Into<String>,
        turn: impl FnMut() -> io::Result<Measured> + 'static,
    ) -> Contender {
        Contender { name: name.into(), turn: Box::new(turn) }
    }

    /// One whose turns measure a single quantity and don't fail.
    pub fn of(
        name: impl Into<String>,
        quantity: &'static str,
        mut turn: impl FnMut() -> f64 + 'static,
    ) -> Contender {
        Contender::new(name, move || Ok(vec![(quantity.to_owned(), turn())]))
    }
}

/// A measurement: its contenders are made when it begins, and gone when it ends.
pub struct Row {
    /// On the command line and in the report.
    pub name: &'static str,
    /// How often each contender has its turn.
    pub rounds: usize,
    /// Makes the contenders.
    pub contenders: Box<dyn Fn() -> Vec<Contender>>,
}

impl Row {
    /// A row with as many rounds as usual.
    pub fn new(name: &'static str, contenders: impl Fn() -> Vec<Contender> + 'static) -> Row {
        Row { name, rounds: ROUNDS, contenders: Box::new(contenders) }
    }

    /// A row measured once: what does not vary from run to run, or takes too long.
    pub fn once(name: &'static str, contenders: impl Fn() -> Vec<Contender> + 'static) -> Row {
        Row { name, rounds: 1, contenders: Box::new(contenders) }
    }

    fn run(&self) -> io::Result<()> {
        let mut contenders = (self.contenders)();
        let mut values: Vec<(String, String, Vec<f64>)> = Vec::new();
        for round in 1..=self.rounds {
            for contender in &mut contenders {
                progress(&format!("[{round}/{}] {}, {}", self.rounds, self.name, contender.name));
                for (quantity, value) in (contender.turn)()? {
                    let known =
                        values.iter_mut().find(|(c, q, _)| *c == contender.name && *q == quantity);
                    match known {
                        Some((_, _, values)) => values.push(value),
                        None => values.push((contender.name.clone(), quantity, vec![value])),
                    }
                }
            }
        }
        progress("");
        for (contender, quantity, values) in values {
            println!(
                "{{\"row\":\"{}\",\"contender\":\"{contender}\",\"quantity\":\"{quantity}\",\"values\":{values:?}}}",
                self.name
            );
        }
        io::stdout().flush()
    }
}

/// Shows what is being done where somebody looks, in place of what was shown before.
pub fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    } else if !what.is_empty() {
        eprintln!("{what}");
    }
}

/// Does what the command line says: `--list`, or the rows of these names.
///
/// # Errors
/// A name that no row has, or what a row could not measure.
pub fn run(rows: &[Row], words: &[String]) -> io::Result<()> {
    if words.iter().any(|word| word == "--list") {
        rows.iter().for_each(|row| println!("{}", row.name));
        return Ok(());
    }
    if let Some(unknown) = words.iter().find(|word| rows.iter().all(|row| row.name != **word)) {
        return Err(io::Error::other(format!("no row is called `{unknown}`; try --list")));
    }
    let is_wanted = |row: &&Row| words.is_empty() || words.iter().any(|word| word == row.name);
    rows.iter().filter(is_wanted).try_for_each(Row::run)
}
