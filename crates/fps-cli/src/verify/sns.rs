//! What SNS told a merchant of Amazon Pay, in either version of its signature.

use fps::Timestamp;
use fps::fps_sign::sns::{Claim, Message as Signed, SignatureVersion};

use super::SHA_1;
use super::checked::{Checked, Unproved};
use super::ipn::note;
use super::keys::Source;
use crate::message::Message;
use crate::output::Fields;

pub(super) fn check(
    message: &Message,
    source: &Source,
    topic: Option<&str>,
    checked: &mut Checked,
) -> Result<(), Unproved> {
    checked.kind = Some("SNS message");
    let fields = fields(&message.body)?;
    let of = |wanted| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    checked.certificate_url = of("SigningCertURL").cloned();
    checked.time = of("Timestamp").cloned();
    let time = checked.time.as_deref().and_then(Timestamp::parse);
    let claim = Claim::read(&fields)?;
    let hash = if claim.signature_version() == SignatureVersion::V1 {
        checked.weaknesses.push(SHA_1);
        "RSA-SHA1"
    } else {
        "RSA-SHA256"
    };
    let version = claim.signature_version().as_str();
    checked.scheme = Some(format!("{hash}, signature version {version}"));
    let public = source.public(|origin| claim.certificate_url(origin))?;
    note(&public, time, checked);
    let proved = claim.verify(&public.key)?;
    let signed = signed(proved.get());
    // SNS signs with one key for everybody who has a topic.
    match topic {
        Some(topic) if topic != proved.get().topic_arn() => {
            return Err(Unproved::new("SNS signed it for another topic than --topic"));
        }
        Some(_) => {}
        None => checked.advise(format!(
            "SNS signs for everybody: is {} your topic? Name yours with --topic",
            proved.get().topic_arn()
        )),
    }
    let is_signed = |name: &String| signed.iter().any(|(signed, _)| signed == name);
    let names = fields.into_iter().map(|(name, _)| name);
    checked.not_covered = names.filter(|name| !is_signed(name) && name != "Signature").collect();
    checked.prove(signed);
    Ok(())
}

/// The texts at the top level, doubled ones included.
fn fields(body: &[u8]) -> Result<Vec<(String, String)>, Unproved> {
    let unreadable = |_| Unproved::new("the message is no JSON object of texts");
    let Fields(fields) = serde_json::from_slice(body).map_err(unreadable)?;
    let read = fields.into_iter().map(|(name, value)| {
        serde_json::from_str(value.get()).map(|value| (name, value)).map_err(unreadable)
    });
    read.collect()
}

fn signed(message: &Signed) -> Vec<(&'static str, &str)> {
    let fields = [
        ("Type", Some(message.message_type().as_str())),
        ("MessageId", Some(message.message_id())),
        ("TopicArn", Some(message.topic_arn())),
        ("Subject", message.subject()),
        ("Message", Some(message.message())),
        ("Timestamp", Some(message.timestamp())),
        ("Token", message.token()),
        ("SubscribeURL", message.subscribe_url()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
