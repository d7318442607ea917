//! `fps completions` and `fps man`: what the arguments say of themselves, for shells and for `man`; no
//! text is written here.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::{self, Arguments};
use crate::exit::{Exit, Failure, OrFail};
use crate::output::print_text;

pub(crate) fn completions(arguments: &cli::Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "fps", &mut script);
    print_text(&String::from_utf8(script).or_fail("the script is no text")?)
}

pub(crate) fn pages(arguments: &cli::Man) -> Result<(), Failure> {
    match &arguments.dir {
        Some(folder) => write_all(&command(), folder),
        None => print_text(&page(&found(&arguments.verb)?)?),
    }
}

/// The command with everything worked out that its parts inherit, such as their whole names.
fn command() -> Command {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    command
}

/// The verb of this name, which may have several words.
fn found(verb: &[String]) -> Result<Command, Failure> {
    let mut command = command();
    for word in verb {
        let inner = command.find_subcommand(word).cloned();
        command = inner.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no verb `{}`", verb.join(" ")))
                .hint("`fps --help` and `fps VERB --help` list what there is")
        })?;
    }
    Ok(command)
}

fn write_all(command: &Command, folder: &Path) -> Result<(), Failure> {
    let not_written = |error| {
        let message = format!("the pages cannot be written to {}", folder.display());
        Failure::new(Exit::Usage, message).because(error)
    };
    std::fs::create_dir_all(folder).map_err(not_written)?;
    let mut open = vec![command];
    while let Some(command) = open.pop() {
        page_of(command).generate_to(folder).map_err(not_written)?;
        open.extend(command.get_subcommands());
    }
    Ok(())
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut roff = Vec::new();
    page_of(command).render(&mut roff).or_fail("the page cannot be made")?;
    String::from_utf8(roff).or_fail("the page is no text")
}

/// Under its whole name, such as `fps-verify-ipn`.
fn page_of(command: &Command) -> Man {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let version = concat!("fps ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).title(name).source(version)
}
