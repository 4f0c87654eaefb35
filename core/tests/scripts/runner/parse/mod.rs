//! From a file to a [`Script`]: lines, times, and whose parser reads the rest of a line.
//!
//! Nothing is skipped: a line that is not understood is an error that names the file and the line.

mod call;
mod condition;
mod packet;

use std::path::Path;

use super::script::{Driver, Family, Script, Settings, Step, What, When};
use super::text::Cursor;

/// Reads the script at `path`.
///
/// # Errors
/// `file:line: what was expected`.
pub(crate) fn parse(path: &Path) -> Result<Script, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let at = |line: usize, message: String| format!("{name}:{line}: {message}");
    let heading = text.lines().take_while(|line| is_comment(line)).count();
    if heading == 0 {
        return Err(at(1, "a script begins with a comment that says what it shows".into()));
    }
    let mut settings = Settings::default();
    let mut steps = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, without_comment(line));
        if line.is_empty() {
            continue;
        }
        if let Some(setting) = line.strip_prefix("--") {
            if !steps.is_empty() {
                return Err(at(number, "settings come before the first step".into()));
            }
            set(&mut settings, setting).map_err(|message| at(number, message))?;
            continue;
        }
        let (when, what) = step(line).map_err(|message| at(number, message))?;
        steps.push(Step { line: number, text: line.to_owned(), when, what });
    }
    if steps.is_empty() {
        return Err(at(1, "nothing happens in this script".into()));
    }
    Ok(Script { path: path.to_owned(), settings, steps })
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//") || line.starts_with('#')
}

/// The line without a comment behind it.
fn without_comment(line: &str) -> &str {
    if is_comment(line) {
        return "";
    }
    line.split_once("//").map_or(line, |(line, _)| line).trim()
}

fn set(settings: &mut Settings, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').ok_or("expected --name=value")?;
    let number = || value.parse().map_err(|_| format!("--{name}={value}: expected a number"));
    match (name, value) {
        ("ip_version", "ipv4") => settings.families = vec![Family::V4],
        ("ip_version", "ipv6") => settings.families = vec![Family::V6],
        ("driver", "host") => settings.drivers = vec![Driver::Host],
        ("driver", "stack") => settings.drivers = vec![Driver::Stack],
        ("ip_version" | "driver", _) => return Err(format!("--{name}={value} is not known")),
        ("linux", why) => settings.differs_from_linux = Some(why.to_owned()),
        ("mtu", _) => settings.mtu = number()? as usize,
        ("peer_isn", _) => settings.peer_isn = number()? as u32,
        ("seed", _) => settings.seed = number()?,
        _ => settings.knobs.push((name.to_owned(), value.to_owned())),
    }
    Ok(())
}

fn step(line: &str) -> Result<(When, What), String> {
    let mut cursor = Cursor::new(line);
    let when = when(&mut cursor)?;
    let what = if cursor.eat("<") {
        What::Inject(packet::parse(&mut cursor)?)
    } else if cursor.eat(">") {
        What::Expect(packet::parse(&mut cursor)?)
    } else if cursor.eat("%{") {
        What::Assert(condition::parse(cursor.until("}%")?)?)
    } else {
        What::Call(call::parse(&mut cursor)?)
    };
    if !cursor.is_at_end() {
        return Err(cursor.wanted("the end of the line"));
    }
    match (when, &what) {
        (When::Between(..) | When::Whenever, What::Expect(_)) => {}
        (When::Lasting(..), What::Call(_)) => {}
        (When::Between(..) | When::Whenever, _) => {
            return Err("only a packet that is expected may come when it likes".into());
        }
        (When::Lasting(..), _) => return Err("only a call may last".into()),
        _ => {}
    }
    Ok((when, what))
}

fn when(cursor: &mut Cursor<'_>) -> Result<When, String> {
    if cursor.eat("*") {
        return Ok(When::Whenever);
    }
    if !cursor.eat("+") {
        return Ok(When::At(cursor.seconds_us()?));
    }
    let start = cursor.seconds_us()?;
    if cursor.eat("...") {
        return Ok(When::Lasting(start, cursor.seconds_us()?));
    }
    if cursor.eat("~") {
        cursor.expect("+")?;
        return Ok(When::Between(start, cursor.seconds_us()?));
    }
    Ok(When::After(start))
}
