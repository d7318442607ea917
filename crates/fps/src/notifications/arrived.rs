//! A request as it arrived at the merchant's address, from whatever web framework; nothing in it is
//! believed here.

use std::fmt;

use super::error::NotificationError;

/// The kind of an SNS message, in a header that plain posts do not have.
pub(super) const SNS_TYPE: &str = "x-amz-sns-message-type";
/// The id of an SNS message.
pub(super) const SNS_ID: &str = "x-amz-sns-message-id";
/// The topic of an SNS message.
pub(super) const SNS_TOPIC: &str = "x-amz-sns-topic-arn";
/// What the body is written in.
const CONTENT_TYPE: &str = "content-type";

/// The headers that are read. No other is kept.
const READ: [&str; 4] = [CONTENT_TYPE, SNS_TYPE, SNS_ID, SNS_TOPIC];

/// A request that arrived: its method, its headers and its body, raw.
///
/// The address is not among them: what a request says of it is the sender's doing, or that of a proxy.
/// [`Notifications`](super::Notifications) knows the address from the configuration. A query behind it
/// is read by nobody.
///
/// Headers come as pairs of anything that is text and anything that is bytes: the header map of the
/// crate `http` by reference, or a list of tuples.
///
/// ```
/// use fps::Arrived;
///
/// let headers = [("Content-Type", "application/x-www-form-urlencoded")];
/// let arrived = Arrived::new("POST", headers, b"transactionId=14GK");
/// # drop(arrived);
/// ```
#[derive(Clone)]
pub struct Arrived<'a> {
    method: &'a str,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: &'a [u8],
}

/// Without the body, which is about people.
impl fmt::Debug for Arrived<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrived")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Arrived<'a> {
    /// From the parts of a request. The body must be the bytes that came, not decoded and not parsed.
    pub fn new<N: AsRef<str>, V: AsRef<[u8]>>(
        method: &'a str,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &'a [u8],
    ) -> Self {
        let mut kept: Vec<(&'static str, Vec<u8>)> = Vec::new();
        for (given, value) in headers {
            let same = |name: &&&str| name.eq_ignore_ascii_case(given.as_ref());
            let Some(name) = READ.iter().find(same) else { continue };
            // Two are enough to see that it stands more than once.
            if kept.iter().filter(|(kept, _)| kept == name).nth(1).is_none() {
                kept.push((name, value.as_ref().to_vec()));
            }
        }
        Self { method, headers: kept, body }
    }

    pub(super) const fn method(&self) -> &'a str {
        self.method
    }

    /// Does it pretend to come from SNS?
    pub(super) fn has_sns_type(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == SNS_TYPE)
    }

    /// The body, if it is no larger than that.
    pub(super) const fn body(&self, bytes_max: usize) -> Result<&'a [u8], NotificationError> {
        if self.body.len() > bytes_max { Err(NotificationError::TooLarge) } else { Ok(self.body) }
    }

    /// Refuses a body that does not say that it is a form.
    pub(super) fn is_form(&self) -> Result<(), NotificationError> {
        let media_type = self.header(CONTENT_TYPE)?.and_then(|value| value.split(';').next());
        match media_type.map(str::trim) {
            Some(given) if given.eq_ignore_ascii_case("application/x-www-form-urlencoded") => {
                Ok(())
            }
            _ => Err(NotificationError::Header(CONTENT_TYPE)),
        }
    }

    /// Refuses a header that says something else than what is signed.
    pub(super) fn agrees(&self, name: &'static str, signed: &str) -> Result<(), NotificationError> {
        match self.header(name)? {
            Some(given) if given != signed => Err(NotificationError::Header(name)),
            _ => Ok(()),
        }
    }

    /// The one value of a header.
    fn header(&self, name: &'static str) -> Result<Option<&str>, NotificationError> {
        let mut values = self.headers.iter().filter(|(given, _)| *given == name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => {
                std::str::from_utf8(value).map(Some).map_err(|_| NotificationError::Header(name))
            }
            (Some(_), Some(_)) => Err(NotificationError::Header(name)),
        }
    }
}
