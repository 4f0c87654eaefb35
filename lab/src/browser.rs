//! A browser for the reader's eyes, or a word on how to do without.
//!
//! A program that finds no display may take the terminal over, or hang about unseen: it is not even asked.

use std::env;

use tcpstack::event::Language;

/// Opens `url` in the browser of whoever sits here. False: there is none as far as one can tell.
pub(crate) fn open(url: &str) -> bool {
    // As xdg-open reads it: the first of a list is the one that is wanted.
    let named = env::var("BROWSER").ok();
    let named = named.as_deref().and_then(|list| list.split(':').find(|name| !name.is_empty()));
    match named {
        Some(browser) if !browser.contains('%') => ::open::with_detached(url, browser).is_ok(),
        _ if named.is_some() || has_display() => ::open::that_detached(url).is_ok(),
        _ => false,
    }
}

/// Whether there is a screen: everywhere but on a Linux that is used from afar.
fn has_display() -> bool {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(is_set)
}

/// What to do without a browser, the page being served on `port`.
pub(crate) fn word(language: Language, port: u16) -> String {
    let is_remote = env::var_os("SSH_CONNECTION").is_some();
    match (language, is_remote) {
        (Language::English, false) => {
            "No browser could be started: open the address by hand, or add --terminal.".to_owned()
        }
        (Language::Chinese, false) => {
            "无法启动浏览器：请手动打开上面的地址，或者加上 --terminal。".to_owned()
        }
        (Language::English, true) => format!(
            "There is no browser here. Run `ssh -L {port}:127.0.0.1:{port} THIS-MACHINE` on the machine \
             you sit at, and open the address there; or add --terminal."
        ),
        (Language::Chinese, true) => format!(
            "这里没有浏览器。请在你面前的机器上运行 `ssh -L {port}:127.0.0.1:{port} 这台机器`，\
             再在那里打开上面的地址；或者加上 --terminal。"
        ),
    }
}
