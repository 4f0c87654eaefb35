//! What is wrong with a command line, in the language asked for: the reader of command lines (clap) speaks English.

use std::error::Error;

use clap::error::{ContextKind, ErrorKind};
use tcpstack::event::Language;
use tcpstack_lab::run::RuleError;

use crate::args::Lang;
use crate::language;

/// Says it, and what would be right; help and version are no errors.
pub(crate) fn refuse(error: &clap::Error) -> ! {
    let is_chinese = error.use_stderr() && language::of(asked()) == Language::Chinese;
    if let Some(sentence) = chinese(error).filter(|_| is_chinese) {
        eprintln!("tcpstack: {sentence}\n用法见 --help。");
        std::process::exit(error.exit_code());
    }
    error.exit()
}

/// The language that a command line asks for though it cannot be read.
fn asked() -> Option<Lang> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let behind = words.windows(2).find(|pair| pair[0] == "--lang").map(|pair| pair[1].as_str());
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang="));
    match behind.or(joined) {
        Some("zh") => Some(Lang::Zh),
        Some("en") => Some(Lang::En),
        _ => None,
    }
}

/// The error in Chinese; none of those that have more to show, as the help of a command that was called alone.
fn chinese(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, value) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue));
    let valid = context(ContextKind::ValidValue);
    let one_of = if valid.is_empty() { valid } else { format!("可用的值：{valid}") };
    let sentence = match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 缺少值。{one_of}"),
        ErrorKind::InvalidValue => format!("{argument} 的值 {value} 无效。{one_of}"),
        ErrorKind::ValueValidation => {
            let why = error.source();
            let rule = why.and_then(|why| why.downcast_ref::<RuleError>());
            let why = rule.map(|rule| rule.text().zh).or(why.map(ToString::to_string));
            format!("{argument} 的值 {value} 无效：{}", why.unwrap_or_default())
        }
        ErrorKind::UnknownArgument => format!("没有参数 {argument}。"),
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{argument}"),
        ErrorKind::ArgumentConflict => {
            format!("{argument} 不能与 {} 同时使用。", context(ContextKind::PriorArg))
        }
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 {}。", context(ContextKind::InvalidSubcommand))
        }
        _ => return None,
    };
    Some(sentence)
}
