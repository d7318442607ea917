//! Golden messages: texts that the generator makes from the spec without the code that is tested here,
//! with every field set. Each is read, and written again as the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use fps_model::amazon_pay::{AmazonPayApi, ApiVersion, Route};
use fps_model::flexible_payments::{Action, FlexiblePaymentsApi};
use fps_model::soap::{self, Addressing};
use fps_model::{JsonRequest, Operation, Params, Serve};

use crate::any::{
    Any, Document, ParamsMessage, VisitActions, VisitDocuments, VisitParams, VisitRoutes,
};
use crate::{amazon_pay, flexible_payments};

/// Reads golden files and remembers which.
struct Golden {
    folder: PathBuf,
    used: Vec<PathBuf>,
}

impl Golden {
    fn of(service: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(service);
        Self { folder, used: Vec::new() }
    }

    /// The text of a file without the newline at its end.
    fn text(&mut self, name: &str) -> String {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.used.push(path);
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Nothing lies there that no message of the spec belongs to.
    fn finish(mut self) {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        self.used.sort();
        assert_eq!(found, self.used);
    }
}

impl VisitActions for Golden {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = FlexiblePaymentsApi> + Action + Serve + Any + PartialEq,
        O::Response: Any,
    {
        for &dialect in O::DIALECTS {
            let stem = format!("{}/{}", O::ACTION, dialect.version());
            let form = self.text(&format!("{stem}.request.form"));
            let params = Params::parse(form.as_bytes()).unwrap();
            let request = O::read(&params, dialect).unwrap_or_else(|it| panic!("{stem}: {it}"));
            assert_eq!(request.encode(dialect).unwrap().to_form(), form);

            let envelope = self.text(&format!("{stem}.request.soap.xml"));
            let (headers, params) = soap::read_request(envelope.as_bytes()).unwrap();
            assert_eq!(headers, Addressing::request("MESSAGE123", O::ACTION));
            assert_eq!(O::read(&params, dialect).unwrap(), request);
            let again = soap::write_request(&request.encode(dialect).unwrap(), &headers).unwrap();
            assert_eq!(String::from_utf8(again).unwrap(), envelope);

            let body = self.text(&format!("{stem}.answer.xml"));
            let answer = O::decode(body.as_bytes(), dialect)
                .unwrap_or_else(|it| panic!("{stem}: {it}\n{body}"));
            let again = O::write_answer(&answer, dialect);
            assert_eq!(String::from_utf8(again).unwrap(), body);
        }
    }
}

impl VisitParams for Golden {
    fn visit<M: ParamsMessage>(&mut self) {
        let form = self.text(&format!("{}.form", M::NAME));
        let message = M::read(&Params::parse(form.as_bytes()).unwrap());
        let message = message.unwrap_or_else(|error| panic!("{}: {error}", M::NAME));
        assert_eq!(message.write().unwrap().to_form(), form);
    }
}

impl VisitRoutes for Golden {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = AmazonPayApi> + Route + Serve + Any + PartialEq,
        O::Response: Any,
    {
        let text = self.text(&format!("{}/request.http", O::ACTION));
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut wire = JsonRequest::new(method, path);
        for line in lines {
            wire = wire.with_key(line.strip_prefix("x-amz-pay-idempotency-key: ").unwrap());
        }
        if !body.is_empty() {
            wire = wire.with_body(body);
        }
        let request =
            O::read(&wire, ApiVersion::V2).unwrap_or_else(|error| panic!("{}: {error}", O::ACTION));
        assert_eq!(request.encode(ApiVersion::V2).unwrap(), wire, "{}", O::ACTION);

        let body = self.text(&format!("{}/answer.json", O::ACTION));
        let answer = O::decode(body.as_bytes(), ApiVersion::V2)
            .unwrap_or_else(|error| panic!("{}: {error}", O::ACTION));
        let again = O::write_answer(&answer, ApiVersion::V2);
        assert_eq!(String::from_utf8(again).unwrap(), body);
    }
}

impl VisitDocuments for Golden {
    fn visit<M: Document>(&mut self) {
        let text = self.text(&format!("{}.json", M::NAME));
        let message = M::read(text.as_bytes());
        let message = message.unwrap_or_else(|error| panic!("{}: {error}", M::NAME));
        assert_eq!(String::from_utf8(message.write()).unwrap(), text);
    }
}

#[test]
fn of_flexible_payments() {
    let mut golden = Golden::of("flexible_payments");
    flexible_payments::every_operation(&mut golden);
    flexible_payments::every_message(&mut golden);
    golden.finish();
}

#[test]
fn of_amazon_pay() {
    let mut golden = Golden::of("amazon_pay");
    amazon_pay::every_operation(&mut golden);
    amazon_pay::every_message(&mut golden);
    golden.finish();
}
