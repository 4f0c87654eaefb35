//! What the texts of a knob may be: numbers in a range, or words. Text is read and written here.

/// What the texts of a knob may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Whole numbers, one for each name in `fields`, none smaller than the one before it.
    Numbers {
        /// What each number is.
        fields: &'static [&'static str],
        /// The least value of each.
        min: u64,
        /// The greatest value of each.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Domain {
    /// The numbers that `text` stands for; None when it is outside the domain.
    pub(super) fn parse(&self, text: &str) -> Option<[u64; 3]> {
        let mut value = [0; 3];
        match *self {
            Domain::Choice(words) => {
                value[0] = words.iter().position(|word| *word == text)? as u64;
            }
            Domain::Numbers { fields, min, max } => {
                // A URL carries the three numbers of tcp_rmem with commas, sysctl with blanks.
                let mut words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
                let mut least = min;
                for number in value.iter_mut().take(fields.len()) {
                    *number = number_of(words.next()?)?;
                    if !(least..=max).contains(number) {
                        return None;
                    }
                    least = *number;
                }
                if words.next().is_some() {
                    return None;
                }
            }
        }
        Some(value)
    }

    pub(super) fn format(&self, value: &[u64; 3]) -> String {
        match *self {
            Domain::Choice(words) => words[value[0] as usize].to_owned(),
            Domain::Numbers { fields, .. } => {
                value[..fields.len()].iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// What would be valid, for a message: "a number from 1 to 127".
    pub fn expected(&self) -> String {
        match *self {
            Domain::Choice(words) => format!("one of: {}", words.join(", ")),
            Domain::Numbers { min: 0, max: 1, .. } => "0 or 1".to_owned(),
            Domain::Numbers { fields: [_], min, max } => format!("a number from {min} to {max}"),
            Domain::Numbers { fields, min, max } => {
                format!("`{}`, rising numbers from {min} to {max}", fields.join(" "))
            }
        }
    }
}

/// Decimal, or hexadecimal after `0x`, as Linux's sysctl takes what is a sum of bits.
fn number_of(text: &str) -> Option<u64> {
    let digits = match text.strip_prefix("0x") {
        Some(digits) => digits,
        None => return decimal(text),
    };
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_plain { u64::from_str_radix(digits, 16).ok() } else { None }
}

/// Digits alone: no sign, no blank, no overflow.
fn decimal(word: &str) -> Option<u64> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}
