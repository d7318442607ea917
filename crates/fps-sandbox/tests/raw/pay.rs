//! What the tests of Amazon Pay's operations share: requests by hand, and pieces of answers.

use std::time::Duration;

use fps_model::amazon_pay::ChargePermissionId;
use fps_sandbox::{ChargePermissionSpec, MerchantSpec};
use serde_json::Value;

use crate::world::{PayRequest, Seen, World, usd};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl World {
    /// Sends a request of Amazon Pay, with a simulation code that is not signed.
    pub(crate) async fn simulate(
        &self,
        code: &'static str,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> Seen {
        let mut request = self.pay_request(method, path, key, body);
        request.unsigned = vec![("x-amz-pay-simulation-code", code)];
        self.pay(request).await
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> Seen {
        self.pay(self.pay_request(method, path, key, body)).await
    }

    /// A permission for one order of this value.
    pub(crate) async fn permission(&self, limit: &str) -> ChargePermissionId {
        let spec = ChargePermissionSpec::one_time(usd(limit));
        self.sandbox.create_charge_permission(&self.merchant, spec).await.unwrap()
    }

    pub(crate) async fn create_charge(&self, key: &str, body: &str) -> Seen {
        self.call("POST", "/v2/charges", Some(key), body).await
    }

    /// A charge that is authorized.
    pub(crate) async fn authorized(&self, amount: &str) -> String {
        let charge = self.sandbox.capture_charge(&self.merchant, usd(amount)).authorized();
        charge.create().await.unwrap().as_str().to_owned()
    }

    pub(crate) async fn capture(&self, charge: &str, key: &str, amount: &str) -> Seen {
        let path = format!("/v2/charges/{charge}/capture");
        self.call("POST", &path, Some(key), &format!(r#"{{"captureAmount":{}}}"#, price(amount)))
            .await
    }

    pub(crate) async fn cancel(&self, charge: &str) -> Seen {
        let path = format!("/v2/charges/{charge}/cancel");
        self.call("DELETE", &path, None, r#"{"cancellationReason":"out of stock"}"#).await
    }

    /// State and reason of a charge, refund or session.
    pub(crate) async fn status_of(&self, path: &str) -> (String, String) {
        let seen = self.get(path).await;
        assert_eq!(seen.0, 200, "{}", seen.1);
        status(&seen)
    }

    /// Waits until an object is in a state.
    pub(crate) async fn reaches(&self, path: &str, state: &str) -> (String, String) {
        let asking = async {
            loop {
                let status = self.status_of(path).await;
                if status.0 == state {
                    return status;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
    }
}

/// A world in which what is under way ends after a minute of the sandbox.
pub(crate) async fn slow_world() -> World {
    World::with(MerchantSpec::new("Test Business"), Duration::from_secs(60)).await
}

pub(crate) fn price(amount: &str) -> String {
    format!(r#"{{"amount":"{amount}","currencyCode":"USD"}}"#)
}

/// The body that asks for a charge; `more` begins with a comma.
pub(crate) fn charge_of(permission: &ChargePermissionId, amount: &str, more: &str) -> String {
    let (permission, price) = (permission.as_str(), price(amount));
    format!(r#"{{"chargePermissionId":"{permission}","chargeAmount":{price}{more}}}"#)
}

pub(crate) fn json(seen: &Seen) -> Value {
    serde_json::from_str(&seen.1).unwrap()
}

/// State and reason, empty without one.
pub(crate) fn status(seen: &Seen) -> (String, String) {
    let json = json(seen);
    let text = |name: &str| json["statusDetails"][name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("reasonCode"))
}

pub(crate) fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// With the method, path and key of another request.
pub(crate) fn also(request: &PayRequest, body: &str) -> PayRequest {
    PayRequest { body: body.to_owned(), ..request.clone() }
}
