//! `fps verify`: what kept messages prove, a file each; the signatures themselves are checked in
//! `fps-sign`, and nothing is believed that is not proved there.

mod checked;
mod ipn;
mod keys;
mod request;
mod sns;

use self::checked::{Checked, Drawer, Unproved};
use self::keys::Source;
use crate::cli::{self, Messages, Verified};
use crate::exit::Failure;
use crate::message::{self, Message};
use crate::output::print;

pub(crate) use self::keys::{Public, secret_key};
pub(crate) use self::request::{Form, borrowed, to_amazon_pay};

/// Why the hash of a signature is weak.
const SHA_1: &str = "SHA-1: whoever chooses what is signed can make two texts with one signature";

pub(crate) fn run(arguments: &cli::Verify) -> Result<(), Failure> {
    match &arguments.what {
        Verified::Ipn(arguments) => {
            let keys = ipn::Keys::new(arguments)?;
            check(&arguments.messages, |message, checked| keys.check(message, checked))
        }
        Verified::Sns(arguments) => {
            let source = Source::of_sns(&arguments.certificates)?;
            let topic = arguments.topic.as_deref();
            check(&arguments.messages, |message, checked| {
                sns::check(&message, &source, topic, checked)
            })
        }
        Verified::Request(arguments) => {
            let keys = request::Keys::new(arguments)?;
            check(&arguments.messages, |message, checked| keys.check(message, checked))
        }
    }
}

/// Checks each file, and prints what came of it before it fails for those that are not proved.
fn check(
    messages: &Messages,
    prove: impl Fn(Message, &mut Checked) -> Result<(), Unproved>,
) -> Result<(), Failure> {
    // A file that is not there must not look like a message that is not true.
    let files = messages.files.iter().map(|path| Ok((path, message::read(path)?)));
    let files: Vec<_> = files.collect::<Result<_, Failure>>()?;
    let rows = files.iter().map(|(path, bytes)| {
        let mut checked = Checked::new(path, messages.show);
        let message = Message::parse(bytes).map_err(Unproved::from);
        let outcome = message.and_then(|message| prove(message, &mut checked));
        checked.conclude(outcome)
    });
    let drawer = Drawer(rows.collect());
    let printed = print(messages.output, &drawer);
    // That something is not proved must be said even where the result cannot be.
    drawer.verdict()?;
    printed
}
