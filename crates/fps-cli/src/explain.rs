//! `fps explain signature`: what is signed, stage by stage, and where another side parts from it; every
//! stage is worked out in `fps-sign`.

mod report;
mod stages;

use std::path::Path;

use fps::fps_sign::explain::{Mismatch, Refusal};
use fps::{PrivateKey, PublicKey, Secret};

use self::report::{Difference, Explanation};
use crate::cli::{self, ExplainSignature, Explained};
use crate::exit::{Exit, Failure};
use crate::message::{self, Message};
use crate::output::print;
use crate::verify::{Form, Public, secret_key};

/// The keys that were given.
struct Keys {
    secret: Option<Secret>,
    private: Option<PrivateKey>,
    public: Option<PublicKey>,
}

impl Keys {
    fn new(arguments: &ExplainSignature) -> Result<Self, Failure> {
        let private = arguments.private_key.as_deref().map(private_key).transpose()?;
        let public = arguments.public_key.as_deref().map(Public::read).transpose()?;
        let public = public.map(|public| public.key);
        Ok(Self {
            secret: secret_key(&arguments.secret)?,
            public: public.or_else(|| private.as_ref().map(PrivateKey::public_key)),
            private,
        })
    }
}

pub(crate) fn run(arguments: &cli::Explain) -> Result<(), Failure> {
    let Explained::Signature(arguments) = &arguments.what;
    let keys = Keys::new(arguments)?;
    let unreadable = |error| {
        let message = format!("{} is no request that can be explained", arguments.file.display());
        Failure::new(Exit::Usage, message).because(error)
    };
    let message = Message::parse(&message::read(&arguments.file)?).map_err(unreadable)?;
    let message = message.sent_to(arguments.target.url.as_deref()).map_err(unreadable)?;
    let mut explanation = match Form::of(&message) {
        Form::AmazonPay => stages::amazon_pay(&message, &keys)?,
        Form::Soap => stages::soap(&message)?,
        Form::Query => stages::query(&message, &arguments.target.method, &keys)?,
    };
    if let Some(file) = &arguments.against {
        let theirs = message::read_text(file)?.replace("\r\n", "\n");
        compare(&mut explanation, &theirs, &message, &keys)?;
    }
    let printed = print(arguments.output, &explanation);
    explanation.verdict()?;
    printed
}

/// Holds what the other side says against the stage that it is about.
fn compare(
    explanation: &mut Explanation,
    theirs: &str,
    message: &Message,
    keys: &Keys,
) -> Result<(), Failure> {
    if theirs.contains("signing String [") {
        return told_by_refusal(explanation, theirs, message, keys);
    }
    let stage = explanation.stage_like(theirs);
    let mismatch = Mismatch::between(&stage.text, theirs);
    explanation.difference = mismatch.map(|mismatch| Difference::new(stage.stage, &mismatch));
    explanation.compared = true;
    Ok(())
}

/// Amazon Pay tells a hash, which names no line; what is known to change on the way is tried.
fn told_by_refusal(
    explanation: &mut Explanation,
    theirs: &str,
    message: &Message,
    keys: &Keys,
) -> Result<(), Failure> {
    let Some(key) = &keys.public else {
        return Err(Failure::new(Exit::Usage, "a refusal is explained by the key that signed")
            .hint("name it with --public-key or --private-key"));
    };
    let refused =
        |error| Failure::new(Exit::Usage, "the refusal cannot be explained").because(error);
    let refusal = Refusal::read(theirs).map_err(refused)?;
    let found = stages::with_request(message, |request| refusal.explain(request, key));
    let found = found.map_err(refused)?;
    let words: Vec<_> = found.stages().iter().map(ToString::to_string).collect();
    explanation.cause = Some(words.join(" and "));
    explanation.difference =
        found.mismatch().map(|mismatch| Difference::new(stages::CANONICAL, mismatch));
    explanation.compared = true;
    Ok(())
}

fn private_key(path: &Path) -> Result<PrivateKey, Failure> {
    PrivateKey::from_pem(&message::read_text(path)?).map_err(|error| {
        Failure::new(Exit::Usage, format!("{} holds no private key", path.display())).because(error)
    })
}
