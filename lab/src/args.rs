//! The command line, declared; what it means is in the modules named after the commands.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tcpstack::event::Language;
use tcpstack_lab::export::{Format, Theme};
use tcpstack_lab::run::Rule;

/// See what tcpstack does, and prepare a machine for it.
#[derive(Debug, Parser)]
#[command(name = "tcpstack", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a connection in the browser: a lesson, or what your own programs do.
    ///
    /// Without arguments it opens the first lesson. The page is served on 127.0.0.1, to this machine
    /// alone, until Ctrl-C.
    #[cfg(feature = "server")]
    Lab(Lab),
    /// Play a scenario of a lesson, and draw it as a sequence diagram.
    ///
    /// It is played on the real stack in a simulated network: the same scenario with the same rules gives
    /// the same run.
    Play(Play),
    /// Draw recorded events, or a capture, as a sequence diagram.
    ///
    /// Each FILE is what a stack wrote that was opened with `events=FILE`; give those of all hosts to
    /// see both ends of every segment. Or FILE is one capture (pcap or pcapng) of any stack: it shows
    /// what an onlooker can tell.
    Show(Show),
    /// Write a lesson's run, or what was recorded, as a file.
    ///
    /// html: the page with the run in it, one file that needs no network. svg, png, mermaid: the sequence diagram.
    /// json: the run. pcapng: what one host saw, for Wireshark, with the reason of each packet as its comment.
    Export(Export),
    /// Make or remove a TUN interface for use without privilege.
    #[command(subcommand)]
    Tun(Tun),
    /// List the devices, keys and knobs of a stack's URL.
    Url,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The hosts' recordings, or one capture.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) drawing: Drawing,
}

/// Arguments of `play`.
#[derive(Debug, Args)]
pub(crate) struct Play {
    /// A lesson's number, its name, or the TOML file of your own.
    pub(crate) lesson: String,
    /// One of its scenarios [default: the first].
    pub(crate) scenario: Option<String>,
    /// Do something to a packet: HOST:NUMBER:ACTION, as client:3:drop. Repeatable.
    ///
    /// The actions are drop, duplicate, reorder, delay:MILLISECONDS and corrupt:BIT. A host's packets are
    /// numbered from 1.
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rules: Vec<Rule>,
    /// Print the run as JSON.
    #[arg(long, conflicts_with = "events")]
    pub(crate) json: bool,
    /// Print one line per event, with the packets' numbers.
    #[arg(long)]
    pub(crate) events: bool,
    #[command(flatten)]
    pub(crate) drawing: Drawing,
}

/// How a sequence diagram is drawn.
#[derive(Debug, Args)]
pub(crate) struct Drawing {
    /// Draw the connection with this number alone.
    #[arg(long, value_name = "N", conflicts_with = "together")]
    pub(crate) connection: Option<usize>,
    /// Draw all connections at once, each host on its own lifeline.
    #[arg(long)]
    pub(crate) together: bool,
    /// Draw every segment of a bulk transfer.
    #[arg(long)]
    pub(crate) all: bool,
    /// Say why each thing happened, and which clause of which RFC asks for it.
    #[arg(long)]
    pub(crate) why: bool,
    /// The language of the drawing [default: that of the environment].
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Lang>,
    /// No colours (nor are there any if NO_COLOR is set, or in a file).
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Columns of the drawing [default: the terminal's, at most 140].
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(72..=400))]
    pub(crate) width: Option<u16>,
}

/// Arguments of `lab`.
#[cfg(feature = "server")]
#[derive(Debug, Args)]
pub(crate) struct Lab {
    /// A lesson's number or name, or a lesson.toml of your own, and one of its scenarios; or files: the hosts'
    /// recordings, a capture, a run.
    #[arg(value_name = "LESSON [SCENARIO] | FILE")]
    pub(crate) what: Vec<String>,
    /// Show what the programs that write the FILEs do, as they do it.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Listen on this port; 0 takes any that is free.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// Start no browser.
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Show it in this terminal.
    #[cfg(feature = "terminal")]
    #[arg(long, conflicts_with_all = ["port", "no_open", "follow"])]
    pub(crate) terminal: bool,
    /// The language of the page [default: the browser's].
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Lang>,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A lesson's number or name and one of its scenarios, or files: the hosts' recordings, a capture, a run.
    #[arg(value_name = "LESSON [SCENARIO] | FILE", required_unless_present = "all")]
    pub(crate) what: Vec<String>,
    /// Where to write: a file, `-`, or with pcapng or --all a folder.
    #[arg(long, value_name = "PATH")]
    pub(crate) to: PathBuf,
    /// What to write [default: what the ending of PATH says].
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Every lesson with all of its scenarios: in one page, or where PATH is a folder in a page each, with an index.
    #[arg(long, conflicts_with_all = ["what", "rules"])]
    pub(crate) all: bool,
    /// Do something to a packet: HOST:NUMBER:ACTION, as client:3:drop. Repeatable.
    ///
    /// The actions are drop, duplicate, reorder, delay:MILLISECONDS and corrupt:BIT.
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rules: Vec<Rule>,
    /// The language [default: that of the environment; in a page the reader's].
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Lang>,
    /// The ground that a picture or the page has.
    #[arg(long, value_enum)]
    pub(crate) theme: Option<Theme>,
    /// Whose capture, where PATH is a file.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

/// The languages by their codes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Language {
        match lang {
            Lang::En => Language::English,
            Lang::Zh => Language::Chinese,
        }
    }
}

/// Arguments of `tun`.
#[derive(Debug, Subcommand)]
pub(crate) enum Tun {
    /// Make an interface that outlives this command and that USER may open (needs CAP_NET_ADMIN).
    Up {
        /// The interface's name, as in `tun:NAME`.
        name: String,
        /// Who may open it: a name or a number.
        #[arg(long)]
        user: String,
        /// The kernel's address on it; the stack takes another one of the same network. Repeatable.
        #[arg(long, value_name = "ADDRESS/LEN", default_value = "10.7.0.1/24", value_parser = network)]
        host: Vec<(IpAddr, u8)>,
        /// Largest IP packet in bytes [default: 1500].
        #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(68..))]
        mtu: Option<u16>,
    },
    /// Remove an interface that `up` made.
    Down {
        /// The interface's name.
        name: String,
    },
}

/// An address with its prefix length.
fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let expected = || "expected ADDRESS/LEN, as 10.7.0.1/24 or fd07::1/64".to_owned();
    let (address, len) = text.split_once('/').ok_or_else(expected)?;
    let address: IpAddr = address.parse().map_err(|_| expected())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let len = len.parse().ok().filter(|len| *len <= most);
    let len = len.ok_or_else(|| format!("expected a prefix length from 0 to {most}"))?;
    Ok((address, len))
}
