//! The command line: what may be written, and the exit status of each command.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, LoadError};
use crate::simulate::{self, Wanted};
use crate::{check, demo, serve};

/// Exit status of a command that did not reach its end, and of `check` for faults.
pub const FAILED: u8 = 1;
/// Exit status for a file that cannot be read; clap's for a wrong command line as well.
pub const UNREADABLE: u8 = 2;

/// A telephone switch driven by webhooks.
#[derive(Debug, Parser)]
#[command(name = "switchhook", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    ///
    /// SWITCHHOOK_SECTION_KEY in the environment overrides a key of the file:
    /// SWITCHHOOK_SIP_UDP=0.0.0.0:5070 stands for udp of [sip].
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check configurations and applications, and say everything that is wrong with them.
    ///
    /// A file that ends in .toml is a configuration, checked together with the environment as
    /// serve would; anything else is an application, a JSON list of verbs. Exit status: 0 no
    /// fault, 1 faults, 2 a file cannot be read.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Play a call between phones of its own on this machine and show it.
    Demo,
    /// Play scenarios in virtual time: a dial application is tested with no phone.
    ///
    /// A scenario (docs/simulate.md) names the list of verbs, who calls, who is called and what
    /// they do, the network, and what is expected. The switch is the real one, the time is not.
    /// The same seed gives the same output. Exit status: 0 all passed, 1 one failed, 2 a scenario
    /// cannot be read or has faults.
    Simulate {
        /// The scenarios, TOML.
        #[arg(required_unless_present = "random", value_name = "SCENARIO")]
        scenarios: Vec<PathBuf>,
        /// What every chance is drawn from; of several seeds the first.
        #[arg(long, default_value_t = 1, value_name = "N")]
        seed: u64,
        /// How many seeds are played; of more than one only the first that fails is shown.
        #[arg(long, default_value_t = 1, value_name = "N",
              value_parser = clap::value_parser!(u64).range(1..=simulate::COUNT_MAX))]
        count: u64,
        /// Play dials that the seeds make up: a search for faults of Switchhook itself.
        #[arg(long)]
        random: bool,
        /// How many threads play random dials; one for each core unless it is said.
        #[arg(long, requires = "random", value_name = "N",
              value_parser = clap::value_parser!(u64).range(1..=simulate::JOBS_MAX))]
        jobs: Option<u64>,
        /// Write a JUnit report there, for build servers.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
}

/// Runs the command that the arguments of the process name.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve { config } => match configuration(&config) {
            Ok(config) => end(serve::run(config)),
            Err(status) => status,
        },
        Command::Check { files } => check::run(&files),
        Command::Demo => end(demo::run()),
        Command::Simulate { scenarios, seed, count, random, jobs, junit } => {
            let cores =
                || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
            let jobs = jobs.unwrap_or_else(cores).min(simulate::JOBS_MAX);
            simulate::run(&Wanted { scenarios, seed, count, random, jobs, junit })
        }
    }
}

/// Variables of the environment whose name and value are text; others cannot be overrides.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |word: std::ffi::OsString| word.into_string().ok();
    std::env::vars_os().filter_map(move |(name, value)| Some((text(name)?, text(value)?)))
}

/// The configuration, with everything worth saying about it on stderr.
fn configuration(path: &Path) -> Result<Config, ExitCode> {
    match config::load(path, environment()) {
        Ok(loaded) => {
            print_warnings(&loaded.warnings);
            Ok(loaded.config)
        }
        Err(LoadError::Unreadable { path, error }) => {
            print_unreadable(&path, &error);
            Err(UNREADABLE.into())
        }
        Err(LoadError::Faulty { faults, warnings }) => {
            print_faults(&faults);
            print_warnings(&warnings);
            Err(FAILED.into())
        }
    }
}

pub(crate) fn print_faults(faults: &[impl Display]) {
    for fault in faults {
        eprintln!("{fault}");
    }
}

pub(crate) fn print_warnings(warnings: &[impl Display]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

pub(crate) fn print_unreadable(path: &Path, error: &std::io::Error) {
    use std::io::ErrorKind;

    let remedy = match error.kind() {
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied => "let this user read it",
        ErrorKind::IsADirectory => "name a file in it",
        ErrorKind::InvalidData => "save it as UTF-8",
        _ => "check the file",
    };
    eprintln!("{}: cannot be read: {error}; {remedy}", path.display());
}

fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchhook: {error}");
            FAILED.into()
        }
    }
}
