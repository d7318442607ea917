//! Fault rules as they are written down: in a file, in a request of the control API, or in a test.

use serde::{Deserialize, Serialize};

use crate::books::Service;
use crate::error::{Error, ErrorKind};
use crate::exchange::Exchange;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// It waits before it is carried out, by the time of the machine; other faults come on top.
    Delay {
        /// For so long.
        millis: u32,
    },
    /// It is not carried out, and an error of the service says so.
    ErrorBefore {
        /// From 500 to 599.
        status: u16,
    },
    /// It is carried out, and an error of the service is answered.
    ErrorAfter {
        /// From 500 to 599.
        status: u16,
    },
    /// It is not carried out, and the connection ends without an answer.
    DropBefore,
    /// It is carried out, and the connection ends without an answer.
    CommitThenDrop,
    /// It is carried out, and the connection ends in the middle of the answer.
    Truncate {
        /// Behind so many bytes of the body; behind half of it without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u32>,
    },
    /// It is carried out twice, as if the network had doubled it; the second answer is sent.
    Duplicate,
    /// It is not carried out, because there were too many: 429 of Amazon Pay, 503 of FPS.
    Throttle,
}

impl Fault {
    /// Its name in rules and findings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::ErrorBefore { .. } => "error-before",
            Self::ErrorAfter { .. } => "error-after",
            Self::DropBefore => "drop-before",
            Self::CommitThenDrop => "commit-then-drop",
            Self::Truncate { .. } => "truncate",
            Self::Duplicate => "duplicate",
            Self::Throttle => "throttle",
        }
    }
}

/// Which requests meet a fault. What is not said does not matter; a rule that says nothing is for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// Those to this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Those for this operation: an action of FPS such as `Refund`, `CreateRefund` of Amazon Pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Those with this caller reference or idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Those about this transaction or charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Those that read this refund, charge or transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Of all these, only the nth, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// No more than so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Each with a chance of so many in a thousand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_mille: Option<u16>,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// For all requests.
    #[must_use]
    pub const fn new(fault: Fault) -> Self {
        Self {
            service: None,
            operation: None,
            key: None,
            payment: None,
            object: None,
            nth: None,
            times: None,
            per_mille: None,
            fault,
        }
    }

    /// For this service.
    #[must_use]
    pub const fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// For this operation.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// For this caller reference or idempotency key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// For what is about this transaction or charge.
    #[must_use]
    pub fn payment(mut self, id: impl Into<String>) -> Self {
        self.payment = Some(id.into());
        self
    }

    /// For what reads this refund, charge or transaction.
    #[must_use]
    pub fn object(mut self, id: impl Into<String>) -> Self {
        self.object = Some(id.into());
        self
    }

    /// For the nth of these alone, from 1.
    #[must_use]
    pub const fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// So many times.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// With a chance of so many in a thousand.
    #[must_use]
    pub const fn per_mille(mut self, part: u16) -> Self {
        self.per_mille = Some(part);
        self
    }

    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), Error> {
        let reason = match self.fault {
            Fault::ErrorBefore { status } | Fault::ErrorAfter { status }
                if !(500..600).contains(&status) =>
            {
                "the status of an error is one from 500 to 599"
            }
            _ if self.nth == Some(0) => "requests are counted from 1",
            _ if self.per_mille.is_some_and(|part| part > 1_000) => {
                "a chance is at most 1000 in a thousand"
            }
            _ => return Ok(()),
        };
        Err(Error::with(ErrorKind::Invalid, reason))
    }

    /// Is a request one of those it is for?
    pub(super) fn fits(&self, exchange: &Exchange) -> bool {
        let same = |said: &Option<String>, seen: &Option<String>| said.is_none() || said == seen;
        self.service.is_none_or(|service| service == exchange.service)
            && same(&self.operation, &exchange.operation)
            && same(&self.key, &exchange.idempotency_key)
            && same(&self.payment, &exchange.payment)
            && same(&self.object, &exchange.object)
    }
}

/// All rules of a sandbox, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a plan is its seed and its rules")]
pub struct FaultPlan {
    /// Decides the chances.
    #[serde(default)]
    pub seed: u64,
    /// The rules.
    pub rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// Reads a plan, such as
    /// `{"seed": 42, "rules": [{"operation": "Refund", "nth": 1, "fault": {"kind": "commit-then-drop"}}]}`.
    ///
    /// # Errors
    /// [`Error`] of the kind [`ErrorKind::Invalid`], whose source names the line.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let plan: Self =
            serde_json::from_str(text).map_err(|error| Error::with(ErrorKind::Invalid, error))?;
        plan.rules.iter().try_for_each(FaultRule::check)?;
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_written_as_it_is_read() {
        let text = r#"{"seed":42,"rules":[
            {"service":"amazon-pay","operation":"CreateRefund","nth":1,"fault":{"kind":"commit-then-drop"}},
            {"times":3,"perMille":5,"fault":{"kind":"error-after","status":503}},
            {"key":"k","payment":"p","object":"o","fault":{"kind":"truncate","after":10}},
            {"fault":{"kind":"delay","millis":250}}]}"#;
        let plan = FaultPlan::from_json(text).unwrap();
        let compact: String = text.lines().map(str::trim).collect();
        assert_eq!(serde_json::to_string(&plan).unwrap(), compact);
        assert_eq!(plan.rules[1], {
            let rule = FaultRule::new(Fault::ErrorAfter { status: 503 });
            rule.per_mille(5).times(3)
        });
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for rule in [
            r#"{"fault":{"kind":"error-before","status":404}}"#,
            r#"{"fault":{"kind":"error-after","status":200}}"#,
            r#"{"fault":{"kind":"drop-before"},"nth":0}"#,
            r#"{"fault":{"kind":"drop-before"},"perMille":1001}"#,
            r#"{"fault":{"kind":"drop-before"},"action":"Pay"}"#,
            r#"{"fault":{"kind":"drop-before"},"service":"paypal"}"#,
            r#"{"fault":{"kind":"delay","millis":0.5}}"#,
            r#"{"fault":{"kind":"explode"}}"#,
            r#"{}"#,
        ] {
            let error = FaultPlan::from_json(&format!(r#"{{"rules":[{rule}]}}"#)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{rule}");
        }
    }
}
