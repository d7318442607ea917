//! The co-branded pages: a merchant sends its buyer here, the buyer approves or abandons, and is sent back
//! with tokens in a signed address. What is asked for is read in `pipelines`, and shown in `page`.
//!
//! Nothing is kept between the page and its form: the form carries the merchant's signed request back,
//! and it is proved again. A page from elsewhere cannot send the form, for the door keeps it out.

mod page;
mod pipelines;

use std::sync::Arc;

use fps_model::Params;
use fps_model::flexible_payments::{PipelineReturn, PipelineStatus};
use fps_sign::query::{SignatureMethod, signature};
use fps_sign::{Secret, Target, outbound, string_to_sign};
use refund_rules::Method;
use rusqlite::Connection;

pub(crate) use self::page::{Question, ask, wrong};
use self::pipelines::{Asked, method_of};
pub(crate) use self::pipelines::{METHODS, method_code};
use crate::error::Error;
use crate::merchants;
use crate::sandbox::Shared;

/// Where the pages are. Source: Co-Branded UI guide.
pub(crate) const COBRANDED_PATH: &str = "/cobranded-ui/actions/start";

/// What a browser gets.
pub(crate) enum Shown {
    Page {
        status: u16,
        html: String,
    },
    /// Back to the merchant.
    Redirect(String),
}

/// A request as it arrived: the query of a GET, the form of a POST.
pub(crate) struct Visit {
    pub(crate) host: String,
    pub(crate) query: String,
    pub(crate) form: Option<Vec<u8>>,
}

/// What the visitor decided.
#[derive(Clone, Copy)]
pub(crate) enum Decision {
    Approved(Method),
    Abandoned,
}

/// Shows the page, or does what was decided on it.
pub(crate) async fn visit(shared: &Arc<Shared>, visit: Visit) -> Result<Shown, Error> {
    let (request, decision) = match read(&visit) {
        Ok(read) => read,
        Err(reason) => return Ok(refuse(400, reason)),
    };
    let Ok(params) = Params::parse(request.as_bytes()) else {
        return Ok(refuse(400, "The request cannot be read."));
    };
    let target = Target::new("GET", &visit.host, COBRANDED_PATH);
    let signed = Signed { target, key_name: "callerKey" };
    let merchant = match prove(shared, &signed, &params).await? {
        Ok(merchant) => merchant,
        Err(reason) => return Ok(refuse(403, reason)),
    };
    // Only now is it known that the merchant wants its buyer back there.
    let return_url = params.get("returnURL").or_else(|| params.get("returnUrl"));
    let Some(return_url) = return_url.filter(|url| merchants::is_here(url)).map(str::to_owned)
    else {
        return Ok(refuse(400, "returnURL has to be an address on this machine."));
    };
    let asked = match Asked::read(&params) {
        Ok(asked) => asked,
        Err(reason) => {
            let back = PipelineReturn::new(PipelineStatus::CallerError).error_message(reason);
            return redirect(shared, &return_url, &back);
        }
    };
    let decision = match decision {
        None if shared.auto_approve => Decision::Approved(asked.methods()[0]),
        None => {
            let html = ask(&Question {
                title: asked.title(),
                rows: &asked.rows(),
                methods: &asked.methods(),
                action: COBRANDED_PATH,
                request: &request,
            });
            return Ok(Shown::Page { status: 200, html });
        }
        Some(decision) => decision,
    };
    let back = match decision {
        Decision::Abandoned => {
            let back = PipelineReturn::new(PipelineStatus::Abandoned);
            back.caller_reference(asked.reference())
        }
        Decision::Approved(method) => {
            let now = shared.clock.now();
            let install = move |connection: &Connection| {
                pipelines::install(connection, &asked, merchant, method, now)
            };
            shared.store.run(install).await?
        }
    };
    redirect(shared, &return_url, &back)
}

/// The merchant's request, and the decision if there is one.
fn read(visit: &Visit) -> Result<(String, Option<Decision>), &'static str> {
    match &visit.form {
        None => Ok((visit.query.clone(), None)),
        Some(form) => decided(form).map(|(request, decision)| (request, Some(decision))),
    }
}

/// What the form of a page carries: the merchant's request, and the decision.
pub(crate) fn decided(form: &[u8]) -> Result<(String, Decision), &'static str> {
    let form = Params::parse(form).map_err(|_| "The form cannot be read.")?;
    let request = form.get("request").ok_or("The form has no request.")?.to_owned();
    let decision = match form.get("decision") {
        Some("approve") => {
            let method = form.get("method").and_then(method_of);
            Decision::Approved(method.ok_or("The form names no way to pay.")?)
        }
        Some("abandon") => Decision::Abandoned,
        _ => return Err("The form has no decision."),
    };
    Ok((request, decision))
}

/// What a merchant signed: where its browser was to go, and the name of the key there.
pub(crate) struct Signed<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) key_name: &'static str,
}

/// Which merchant signed the request, in version 2, with the names of its parameters in lower case.
pub(crate) async fn prove(
    shared: &Shared,
    signed: &Signed<'_>,
    params: &Params,
) -> Result<Result<i64, &'static str>, Error> {
    let Some(key) = params.get(signed.key_name).map(str::to_owned) else {
        return Ok(Err("The request names no key of a merchant."));
    };
    let work = move |connection: &Connection| merchants::by_access_key(connection, &key);
    let Some((merchant, secret)) = shared.store.run(work).await? else {
        return Ok(Err("The key of the merchant belongs to nobody."));
    };
    Ok(match is_signed(&signed.target, params, &secret) {
        true => Ok(merchant),
        false => Err("The request is not signed by the merchant, in version 2."),
    })
}

fn is_signed(target: &Target<'_>, params: &Params, secret: &Secret) -> bool {
    let (Some(given), Some("2")) = (params.get("signature"), params.get("signatureVersion")) else {
        return false;
    };
    let method = match params.get("signatureMethod") {
        Some("HmacSHA256") => SignatureMethod::HmacSha256,
        Some("HmacSHA1") => SignatureMethod::HmacSha1,
        _ => return false,
    };
    let text = string_to_sign(target, params.iter().filter(|(name, _)| *name != "signature"));
    let expected = signature(&text, secret, method);
    // Every byte is looked at, wherever they differ.
    let differ =
        expected.bytes().zip(given.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other));
    expected.len() == given.len() && differ == 0
}

/// Back to the merchant, with an address that the sandbox signed.
pub(crate) fn send_back(
    shared: &Shared,
    return_url: &str,
    params: &Params,
) -> Result<Shown, Error> {
    let (certificate, key) = (shared.certificate_url(), &shared.notification_key);
    let url = outbound::sign_return_url(return_url, params.iter(), &certificate, key);
    Ok(Shown::Redirect(url.map_err(Error::invalid)?))
}

fn redirect(shared: &Shared, return_url: &str, back: &PipelineReturn) -> Result<Shown, Error> {
    send_back(shared, return_url, &back.to_params().map_err(Error::invalid)?)
}

pub(crate) fn refuse(status: u16, reason: &str) -> Shown {
    Shown::Page { status, html: wrong(reason) }
}
