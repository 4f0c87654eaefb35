//! `setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0`.

use crate::runner::script::{Argument, Call, Expected};
use crate::runner::text::Cursor;

/// Reads a call and its result.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Call, String> {
    let name = cursor.word()?.to_owned();
    cursor.expect("(")?;
    let arguments = list(cursor, ")")?;
    cursor.expect("=")?;
    let result = if cursor.eat("-1") {
        Expected::Error(cursor.word()?.to_owned())
    } else {
        Expected::Number(cursor.number()?)
    };
    Ok(Call { name, arguments, result })
}

fn list(cursor: &mut Cursor<'_>, end: &str) -> Result<Vec<Argument>, String> {
    let mut list = Vec::new();
    if cursor.eat(end) {
        return Ok(list);
    }
    loop {
        list.push(argument(cursor)?);
        if cursor.eat(end) {
            return Ok(list);
        }
        cursor.expect(",")?;
    }
}

fn argument(cursor: &mut Cursor<'_>) -> Result<Argument, String> {
    if cursor.eat("...") {
        return Ok(Argument::Any);
    }
    if cursor.eat("@") {
        return Ok(Argument::Flow(cursor.number()?));
    }
    if cursor.eat(":") {
        return Ok(Argument::Port(cursor.number()?));
    }
    if cursor.eat("[") {
        return Ok(Argument::List(list(cursor, "]")?));
    }
    if cursor.eat("{") {
        return Ok(Argument::Fields(fields(cursor)?));
    }
    if cursor.eat("\"") {
        return Ok(Argument::Text(cursor.until("\"")?.to_owned()));
    }
    if cursor.eat("-") {
        return Ok(Argument::Number(-cursor.number::<i64>()?));
    }
    if cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Argument::Number(cursor.number()?));
    }
    let mut words = vec![cursor.word()?.to_owned()];
    while cursor.eat("|") {
        words.push(cursor.word()?.to_owned());
    }
    Ok(Argument::Words(words))
}

fn fields(cursor: &mut Cursor<'_>) -> Result<Vec<(String, Argument)>, String> {
    let mut fields = Vec::new();
    loop {
        let name = cursor.word()?.to_owned();
        cursor.expect("=")?;
        fields.push((name, argument(cursor)?));
        if cursor.eat("}") {
            return Ok(fields);
        }
        cursor.expect(",")?;
    }
}
