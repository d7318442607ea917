//! The golden messages of the tests: a text for every operation, message and revision, made by the rules of
//! `sample` and by nothing that is tested with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::sample;
use super::spec::{Format, Kind, Place, Response, Service, Spec};

/// Where they lie, under the root.
pub(super) const FOLDER: &str = "crates/fps-model/tests/golden";

/// Every golden text, by path under the root.
pub(super) fn files(service: &Service) -> BTreeMap<PathBuf, String> {
    let folder = PathBuf::from(FOLDER).join(&service.name);
    let mut files = BTreeMap::new();
    for item in &service.items {
        let texts = match (item.spec.kind, service.format()) {
            (Kind::Operation, Format::Params) => action(service, &item.spec),
            (Kind::Operation, Format::Json) => route(service, &item.spec),
            (Kind::Message, Format::Params) => {
                let pairs = sample::dotted(&sample::message(service, &item.spec));
                let form: Vec<_> = pairs.iter().map(sample::pair).collect();
                vec![(format!("{}.form", item.spec.name), form.join("&"))]
            }
            (Kind::Message, Format::Json) => {
                let text = sample::json(&sample::json_object(service, &item.spec), false);
                vec![(format!("{}.json", item.spec.name), text)]
            }
            (Kind::Struct | Kind::Enum | Kind::Id, _) => Vec::new(),
        };
        files.extend(texts.into_iter().map(|(name, text)| (folder.join(name), text + "\n")));
    }
    files
}

fn action(service: &Service, spec: &Spec) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for &dialect in &spec.dialects {
        let stem = format!("{}/{}", spec.name, dialect.version());
        let query = sample::query(service, spec, dialect).join("&");
        texts.push((format!("{stem}.request.form"), query));
        texts.push((format!("{stem}.request.soap.xml"), sample::envelope(service, spec, dialect)));
        texts.push((format!("{stem}.answer.xml"), sample::answer(service, spec, dialect, false)));
    }
    texts
}

fn route(service: &Service, spec: &Spec) -> Vec<(String, String)> {
    let request = http_request(service, spec, false);
    let answer = match &spec.response {
        Response::Shared(name) => service.shared(name),
        Response::Own(_) => None,
    };
    let answer = answer.map(|item| sample::json(&sample::json_object(service, &item.spec), false));
    vec![
        (format!("{}/request.http", spec.name), request),
        (format!("{}/answer.json", spec.name), answer.unwrap_or_default()),
    ]
}

/// Method and path, the key, and behind an empty line the body, if it has one.
pub(super) fn http_request(service: &Service, spec: &Spec, pretty: bool) -> String {
    let path = spec.path.clone().unwrap_or_default();
    let path = match sample::beside_body(service, spec, Place::Path) {
        Some(id) => {
            let (before, after) = path.split_once('{').unwrap_or((path.as_str(), ""));
            let after = after.split_once('}').map_or("", |(_, after)| after);
            format!("{before}{id}{after}")
        }
        None => path,
    };
    let mut text = format!("{} {path}", spec.method.as_deref().unwrap_or_default());
    if let Some(key) = sample::beside_body(service, spec, Place::Header) {
        text += &format!("\nx-amz-pay-idempotency-key: {key}");
    }
    if spec.request.iter().any(|field| field.place == Place::Body) {
        text += &format!("\n\n{}", sample::json(&sample::json_request(service, spec), pretty));
    }
    text
}
