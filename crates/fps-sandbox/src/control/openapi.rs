//! The OpenAPI 3.1 document of the control API, made from its routes and the table of schemas here.
//! The tests hold the answers against it.

use axum::extract::State;
use serde_json::{Map, Value, json};

use super::Control;
use super::http::{Answered, PREFIX, told};
use super::routes::{self, Route};

/// The objects that are read: everything with a question mark may be left out.
const TAKEN: [(&str, &str); 12] = [
    ("ClockChange", "advance?:string to?:time"),
    ("Decline", "reason?:string"),
    (
        "Fault",
        "kind:delay|error-before|error-after|drop-before|commit-then-drop|truncate|duplicate|throttle
         millis?:integer status?:integer after?:integer",
    ),
    ("FaultPlan", "seed?:integer rules:[FaultRule]"),
    (
        "FaultRule",
        "service?:amazon-pay|flexible-payments operation?:string key?:string payment?:string
         object?:string nth?:integer times?:integer perMille?:integer fault:Fault",
    ),
    (
        "InstrumentSpec",
        "id?:string merchant?:string kind:prepaid|postpaid creditLimit?:Amount expiresAt?:time",
    ),
    ("MerchantSpec", "name:string email?:string notificationUrl?:string"),
    ("NextDeclines", "count:integer reason?:string"),
    (
        "PaymentSpec",
        "service:amazon-pay|flexible-payments amount:Amount id?:string merchant?:string
         operation?:charge|pay|reserve|fund-prepaid|settle-debt|write-off-debt
         state?:pending|reserved|capturing|completed|failed|cancelled reason?:string dueIn?:string
         method?:card|bank|balance|prepaid|postpaid captured?:Amount fee?:Amount reference?:string
         description?:string token?:string instrument?:string parent?:string notificationUrl?:string
         createdAt?:time declineRefunds?:string",
    ),
    ("Reset", "keepMerchants?:boolean"),
    (
        "Seed",
        "merchants?:[MerchantSpec] instruments?:[InstrumentSpec] tokens?:[TokenSpec]
         payments?:[PaymentSpec] declineNext?:NextDeclines",
    ),
    (
        "TokenSpec",
        "id?:string merchant?:string method?:card|bank|balance|prepaid|postpaid
         role?:sender|recipient|caller type?:string callerReference?:string friendlyName?:string
         paymentReason?:string terms?:object owner?:string instrument?:string expiresAt?:time",
    ),
];

/// The objects that are answered: everything is there, and what has a question mark may be null.
const GIVEN: [(&str, &str); 31] = [
    ("Amount", "amount:decimal currencyCode:string"),
    (
        "Answer",
        "merchant:string scope:string key:string request:string status:integer body:string createdAt:time",
    ),
    ("AnswerPage", "items:[Answer] next?:integer"),
    ("Clock", "now:time aheadMillis:integer standsStill:boolean"),
    ("Document", ""),
    ("Entry", "merchant:string account:string instrument:string amount:Amount"),
    (
        "Evidence",
        "number:integer at:time operation?:string key?:string payment?:string status?:integer",
    ),
    ("FaultState", "id:integer rule:FaultRule matched:integer applied:integer"),
    ("Faults", "items:[FaultState]"),
    (
        "Finding",
        "code:string severity:low|medium|high sentence:string hint:string times:integer
         requests:[Evidence]",
    ),
    ("Health", "status:string version:string url:string clock:Clock merchants:integer"),
    (
        "Instrument",
        "id:string merchant:string kind:prepaid|postpaid state:active|cancelled balance:Amount
         limit?:Amount expiresAt?:time",
    ),
    ("InstrumentPage", "items:[Instrument] next?:integer"),
    (
        "MadeMerchant",
        "name:string email:string accessKeyId:string publicKeyId:string status:string
         notificationUrl?:string secretKey:string privateKeyPem:string certificatePem:string",
    ),
    (
        "Merchant",
        "name:string email:string accessKeyId:string publicKeyId:string status:string
         notificationUrl?:string",
    ),
    (
        "MerchantTotals",
        "merchant:string service:amazon-pay|flexible-payments captured:Amount refunded:Amount
         refunding:Amount feesTaken:Amount feesReturned:Amount",
    ),
    ("MerchantPage", "items:[Merchant] next?:integer"),
    (
        "Movement",
        "id:integer merchant:string service:amazon-pay|flexible-payments kind:string subject:string
         at:time entries:[Entry] seal:string",
    ),
    ("MovementPage", "items:[Movement] next?:integer"),
    (
        "Notification",
        "id:integer merchant:string url:string body:string state:waiting|delivered|given-up
         attempts:integer createdAt:time dueAt?:time deliveredAt?:time",
    ),
    ("NotificationPage", "items:[Notification] next?:integer"),
    (
        "Payment",
        "id:string merchant:string service:amazon-pay|flexible-payments
         operation:charge|pay|reserve|fund-prepaid|settle-debt|write-off-debt
         state:pending|reserved|capturing|completed|failed|cancelled reason?:string
         method:card|bank|balance|prepaid|postpaid amount:Amount captured:Amount fee:Amount
         refunded:Amount refunding:Amount reference?:string token?:string instrument?:string
         parent?:string declineRefunds?:string createdAt:time updatedAt:time dueAt?:time",
    ),
    ("PaymentPage", "items:[Payment] next?:integer"),
    (
        "Refund",
        "id:string payment:string merchant:string service:amazon-pay|flexible-payments
         state:pending|refunded|declined reason?:string amount:Amount feeReturned:Amount
         reference?:string decline?:string createdAt:time updatedAt:time",
    ),
    ("Report", "exchanges:integer counts:object findings:[Finding]"),
    ("RefundPage", "items:[Refund] next?:integer"),
    (
        "Seeded",
        "merchants:[MadeMerchant] instruments:[Instrument] tokens:[Token] payments:[Payment]",
    ),
    (
        "Token",
        "id:string merchant:string method:card|bank|balance|prepaid|postpaid
         role:sender|recipient|caller type:string active:boolean callerReference?:string
         instrument?:string installedAt:time expiresAt?:time",
    ),
    ("TokenPage", "items:[Token] next?:integer"),
    ("Totals", "items:[MerchantTotals]"),
    ("Verified", "verified:boolean"),
];

/// The document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in routes::all() {
        let path = paths.entry(format!("{PREFIX}{}", route.path)).or_insert_with(|| json!({}));
        path[route.method] = operation(&route);
    }
    let mut schemas = Map::new();
    for (name, fields) in TAKEN {
        schemas.insert(name.to_owned(), object(fields, false));
    }
    for (name, fields) in GIVEN {
        let schema =
            if name == "Document" { json!({"type": "object"}) } else { object(fields, true) };
        schemas.insert(name.to_owned(), schema);
    }
    let problem = json!({
        "type": "object",
        "properties": {"error": {"type": "string"}, "hint": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": false,
    });
    schemas.insert("Problem".to_owned(), problem);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "fps-sandbox control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Makes what is in a sandbox, moves its clock, arranges what will happen, and \
                shows everything. None of it is Amazon's. Without a token it answers on this machine only.",
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    if route.path.contains("{id}") {
        let schema = json!({"type": "string"});
        parameters.push(json!({"name": "id", "in": "path", "required": true, "schema": schema}));
    }
    for name in route.query {
        let schema = match *name {
            "after" => json!({"type": "integer"}),
            "limit" => json!({"type": "integer", "minimum": 1, "maximum": super::list::LIMIT_MAX}),
            "service" => kind("amazon-pay|flexible-payments"),
            _ => json!({"type": "string"}),
        };
        parameters.push(json!({"name": name, "in": "query", "required": false, "schema": schema}));
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            route.status.to_string(): {"description": "Done.", "content": content(route.gives)},
            "default": {"description": "Not done.", "content": content("Problem")},
        },
    });
    if let Some(takes) = route.takes {
        operation["requestBody"] = json!({"required": true, "content": content(takes)});
    }
    operation
}

/// `postOutcomesPaymentsId`.
fn operation_id(route: &Route) -> String {
    let mut id = route.method.to_owned();
    for word in route.path.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

fn content(schema: &str) -> Value {
    json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}})
}

/// The schema of an object with such fields.
fn object(fields: &str, given: bool) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, text) in fields.split_whitespace().filter_map(|field| field.split_once(':')) {
        let (name, optional) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let schema = match optional {
            true => json!({"oneOf": [kind(text), {"type": "null"}]}),
            false => kind(text),
        };
        properties.insert(name.to_owned(), schema);
        if given || !optional {
            required.push(name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn kind(text: &str) -> Value {
    if let Some(of) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({"type": "array", "items": kind(of)});
    }
    match text {
        "string" | "integer" | "boolean" | "object" => json!({"type": text}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "decimal" => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        _ if text.starts_with(|letter: char| letter.is_ascii_uppercase()) => {
            json!({"$ref": format!("#/components/schemas/{text}")})
        }
        _ => json!({"type": "string", "enum": text.split('|').collect::<Vec<_>>()}),
    }
}

pub(super) async fn get(State(_): State<Control>) -> Answered<Value> {
    Ok(told(document()))
}
