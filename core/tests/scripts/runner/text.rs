//! Reading a line from left to right: the one cursor of all the parsers, and its numbers.
//!
//! Times are read into whole microseconds without passing through a fraction that rounds.

/// A place in a line.
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(line: &'a str) -> Cursor<'a> {
        Cursor { rest: line.trim() }
    }

    /// What was not read yet, blanks in front left out.
    pub(crate) fn rest(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    pub(crate) fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Takes `token` if it is next.
    pub(crate) fn eat(&mut self, token: &str) -> bool {
        match self.rest().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes `token`, which has to be next.
    pub(crate) fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) { Ok(()) } else { Err(self.wanted(&format!("`{token}`"))) }
    }

    /// Takes `word` if it is next as a whole word.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        if self.peek_word() != word {
            return false;
        }
        self.eat(word)
    }

    /// Letters, digits and `_` from here on; empty when something else is next.
    pub(crate) fn peek_word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    }

    /// A word, which has to be next.
    pub(crate) fn word(&mut self) -> Result<&'a str, String> {
        match self.peek_word() {
            "" => Err(self.wanted("a word")),
            word => {
                self.rest = &self.rest[word.len()..];
                Ok(word)
            }
        }
    }

    /// Everything up to `end`, which is taken too.
    pub(crate) fn until(&mut self, end: &str) -> Result<&'a str, String> {
        let (text, rest) =
            self.rest().split_once(end).ok_or_else(|| format!("`{end}` is missing"))?;
        self.rest = rest;
        Ok(text)
    }

    /// A whole number: decimal, or hexadecimal after `0x`.
    pub(crate) fn number<N: TryFrom<u64>>(&mut self) -> Result<N, String> {
        let word = self.peek_word();
        let parsed = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        };
        let number = parsed.ok_or_else(|| self.wanted("a number"))?;
        self.rest = &self.rest[word.len()..];
        N::try_from(number).map_err(|_| format!("{number} is too large here"))
    }

    /// Seconds, as `1`, `.04` or `0.200`, in microseconds.
    pub(crate) fn seconds_us(&mut self) -> Result<u64, String> {
        let whole = self.digits();
        let mut us = 1_000_000 * if whole.is_empty() { 0 } else { parse(whole)? };
        let fraction = match self.rest.strip_prefix('.') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
                self.rest = rest;
                self.digits()
            }
            _ => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(self.wanted("a time in seconds"));
        }
        if fraction.len() > 6 {
            return Err(format!("`.{fraction}` is finer than a microsecond"));
        }
        if !fraction.is_empty() {
            us += parse(fraction)? * 10_u64.pow(6 - fraction.len() as u32);
        }
        Ok(us)
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        self.rest = &rest[end..];
        &rest[..end]
    }

    /// What to say when something else was to be next.
    pub(crate) fn wanted(&mut self, what: &str) -> String {
        match self.rest() {
            "" => format!("expected {what}, but the line ends"),
            rest => format!("expected {what} at `{rest}`"),
        }
    }
}

fn parse(digits: &str) -> Result<u64, String> {
    digits.parse().map_err(|_| format!("`{digits}` is too large"))
}

/// Microseconds as seconds with six decimals.
pub(crate) fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// Bytes from hexadecimal digits.
pub(crate) fn bytes(hexadecimal: &str) -> Result<Vec<u8>, String> {
    let refused = || format!("`{hexadecimal}` is no even number of hexadecimal digits");
    if !hexadecimal.is_ascii() || !hexadecimal.len().is_multiple_of(2) {
        return Err(refused());
    }
    (0..hexadecimal.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).map_err(|_| refused()))
        .collect()
}
