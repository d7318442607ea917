//! What one half writes, the other reads as the same value: over Query, SOAP, XML and JSON, for every
//! message of the spec and in every revision that has it.

use fps_model::amazon_pay::{AmazonPayApi, ApiVersion, ReasonCode, Route};
use fps_model::flexible_payments::{
    Action, Dialect, ErrorCode, ErrorDocument, FlexiblePaymentsApi,
};
use fps_model::soap::{self, Addressing};
use fps_model::{Answer, Operation, Params, Problem, Serve, Service, ServiceError};
use proptest::prelude::*;

use crate::any::{
    Any, Document, Enumeration, ParamsMessage, Source, VisitActions, VisitDocuments, VisitEnums,
    VisitParams, VisitRoutes,
};
use crate::{amazon_pay, flexible_payments};

/// Text that every form of writing has to do something about.
const AWKWARD: &str = "a&b<c>\"d'e%2B+=;\\ \u{e9}\u{2615}";

/// Messages made from a seed, with some or with all of their fields.
struct Both {
    seed: u64,
    full: bool,
}

impl Both {
    fn source(&self, dialect: Dialect) -> Source {
        match self.full {
            true => Source::all_fields(self.seed, dialect),
            false => Source::random(self.seed, dialect),
        }
    }
}

impl VisitActions for Both {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = FlexiblePaymentsApi> + Action + Serve + Any + PartialEq,
        O::Response: Any,
    {
        for &dialect in O::DIALECTS {
            let mut source = self.source(dialect);
            let request = O::any(&mut source);
            let params = request.encode(dialect).unwrap();
            assert_eq!(params.get("Action"), Some(O::ACTION));
            assert_eq!(params.get("Version"), Some(dialect.version()));
            let wire = Params::parse(params.to_form().as_bytes()).unwrap();
            assert_eq!(O::read(&wire, dialect).unwrap(), request);

            let headers = Addressing::request(AWKWARD, O::ACTION);
            let envelope = soap::write_request(&params, &headers).unwrap();
            let (read_headers, wire) = soap::read_request(&envelope).unwrap();
            assert_eq!(read_headers, headers);
            assert_eq!(wire.get("Version"), Some(dialect.version()));
            assert_eq!(O::read(&wire, dialect).unwrap(), request);

            let request_id = source.coin().then(|| "6bafdf53-d0d4-4e2f:0".to_owned());
            let answer = Answer::new(O::Response::any(&mut source), request_id);
            let body = O::write_answer(&answer, dialect);
            assert_eq!(O::decode(&body, dialect).unwrap(), answer, "{dialect:?}");
            assert!(FlexiblePaymentsApi::read_refusal(&body).is_none());
            let envelope = soap::wrap_answer(&body, &headers.answer(O::ACTION, "r:0")).unwrap();
            assert_eq!(O::decode(&envelope, dialect).unwrap(), answer);
            let relates = soap::addressing(&envelope).unwrap().relates_to;
            assert_eq!(relates.as_deref(), Some(AWKWARD));
        }
        for dialect in Dialect::ALL.into_iter().filter(|it| !O::DIALECTS.contains(it)) {
            let request = O::any(&mut self.source(O::DIALECTS[0]));
            let error = request.encode(dialect).unwrap_err();
            assert_eq!(error.problem(), &Problem::NotIn(dialect));
        }
    }
}

impl VisitRoutes for Both {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = AmazonPayApi> + Route + Serve + Any + PartialEq,
        O::Response: Any,
    {
        let mut source = self.source(Dialect::default());
        let request: O = source.ask();
        let wire = request.encode(ApiVersion::V2).unwrap();
        assert_eq!(wire.method, O::METHOD);
        assert_eq!(wire.key.as_deref(), request.key());
        assert_eq!(O::read(&wire, ApiVersion::V2).unwrap(), request);
        let answer = Answer::new(O::Response::any(&mut source), None);
        let body = O::write_answer(&answer, ApiVersion::V2);
        assert_eq!(O::decode(&body, ApiVersion::V2).unwrap(), answer);
    }
}

impl VisitParams for Both {
    fn visit<M: ParamsMessage>(&mut self) {
        let message = M::any(&mut self.source(Dialect::default()));
        let params = message.write().unwrap();
        let mut wire = Params::parse(params.to_form().as_bytes()).unwrap();
        wire.push("signature", "not a field");
        assert_eq!(M::read(&wire).unwrap(), message);
    }
}

impl VisitDocuments for Both {
    fn visit<M: Document>(&mut self) {
        let message = M::any(&mut self.source(Dialect::default()));
        assert_eq!(M::read(&message.write()).unwrap(), message);
    }
}

fn both_ways(visitor: &mut Both) {
    flexible_payments::every_operation(visitor);
    flexible_payments::every_message(visitor);
    amazon_pay::every_operation(visitor);
    amazon_pay::every_message(visitor);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(seed in any::<u64>()) {
        both_ways(&mut Both { seed, full: false });
    }
}

#[test]
fn with_every_field() {
    for seed in 1..20 {
        both_ways(&mut Both { seed, full: true });
    }
}

/// A field that a revision does not know is not sent silently, and not read either.
struct OtherRevision;

impl VisitActions for OtherRevision {
    fn visit<O>(&mut self)
    where
        O: Operation<Service = FlexiblePaymentsApi> + Action + Serve + Any + PartialEq,
        O::Response: Any,
    {
        for &written in O::DIALECTS {
            let request = O::any(&mut Source::all_fields(7, written));
            let params = request.encode(written).unwrap();
            for &other in O::DIALECTS {
                match request.encode(other) {
                    // Equal spelling, or at least nothing lost.
                    Ok(again) => assert_eq!(O::read(&again, other).unwrap(), request),
                    Err(error) => assert!(
                        matches!(error.problem(), Problem::NotIn(_) | Problem::Missing),
                        "{error}"
                    ),
                }
                // Parameters of one revision are never taken for those of another.
                if other != written {
                    assert!(O::read(&params, other).is_err());
                }
            }
        }
    }
}

#[test]
fn a_revision_takes_only_its_own_fields() {
    flexible_payments::every_operation(&mut OtherRevision);
}

#[test]
fn refusals_of_every_reason_and_shape() {
    for code in ErrorCode::listed() {
        let error: ServiceError<ErrorCode> = ServiceError::new(code.clone(), AWKWARD);
        for error in [error.clone(), error.with_request_id("r")] {
            let mut documents = vec![error.to_xml()];
            for shape in [
                ErrorDocument::QueryIdFirst,
                ErrorDocument::ErrorResponse(Dialect::default()),
                ErrorDocument::Answer2007("Refund"),
                ErrorDocument::SoapFault,
            ] {
                documents.push(error.to_document(shape));
            }
            for document in documents {
                let read = FlexiblePaymentsApi::read_refusal(&document);
                let wrapped = soap::wrap_answer(&document, &Addressing::default()).unwrap();
                assert_eq!(FlexiblePaymentsApi::read_refusal(&wrapped), read);
                assert_eq!(read.as_ref(), Some(&error), "{:?}", String::from_utf8(document));
            }
        }
    }
    for code in ReasonCode::listed() {
        let error: ServiceError<ReasonCode> = ServiceError::new(code.clone(), AWKWARD);
        assert_eq!(AmazonPayApi::read_refusal(&error.to_json()), Some(error));
    }
}

/// Listed values are read as themselves, others are kept, and no two are spelled alike.
struct Spelling;

impl VisitEnums for Spelling {
    fn visit<E: Enumeration>(&mut self) {
        let mut spelled: Vec<_> = E::listed().iter().map(E::text).collect();
        for value in E::listed() {
            assert_eq!(&E::from(value.text()), value);
            for other in [value.text().to_lowercase() + "x", format!(" {}", value.text())] {
                let unlisted = E::from(other.as_str());
                assert!(!E::listed().contains(&unlisted), "{other:?}");
                assert_eq!(unlisted.text(), other);
            }
        }
        spelled.sort_unstable();
        spelled.dedup();
        assert_eq!(spelled.len(), E::listed().len());
    }
}

#[test]
fn values_of_every_enumeration() {
    flexible_payments::every_enumeration(&mut Spelling);
    amazon_pay::every_enumeration(&mut Spelling);
}
