//! Many payments at once, and a file of refunds of them, for whoever tries batches; what a batch is, is
//! not known here.

use std::path::Path;

use fps::{Currency, Money};
use fps_sandbox::Service;
use fps_sandbox::control::{Control, PaymentSpec};

use crate::exit::{Exit, Failure, OrFail};
use crate::place::SANDBOX_FAILED;

/// How many are made at once: they are written together.
const AT_ONCE: u32 = 256;

const CAPTURED: i64 = 10_000;
const FEE: i64 = 320;

/// Makes payments, and writes a row for each.
pub(crate) async fn make(control: &Control, payments: u32, file: &Path) -> Result<(), Failure> {
    let failed = |error: csv::Error| {
        Failure::new(Exit::Usage, format!("{} cannot be written", file.display())).because(error)
    };
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    let mut writer = csv::Writer::from_path(file).map_err(failed)?;
    let header = ["payment", "amount", "currency", "captured", "fee", "reference"];
    writer.write_record(header).map_err(failed)?;
    let mut row = 0;
    while row < payments {
        let to = row.saturating_add(AT_ONCE).min(payments);
        let made: Vec<_> = (row..to)
            .map(|_| {
                let control = control.clone();
                let mut spec = PaymentSpec::new(Service::AmazonPay, usd(CAPTURED));
                spec.fee = Some(usd(FEE));
                tokio::spawn(async move { control.create_payment(spec).await })
            })
            .collect();
        for making in made {
            let payment = making.await.or_fail(SANDBOX_FAILED)?.or_fail(SANDBOX_FAILED)?;
            row += 1;
            // No two neighbours alike, and none above what was captured.
            let amount = usd(100 + i64::from(row % 9_900));
            let (captured, fee) = (usd(CAPTURED).to_string(), usd(FEE).to_string());
            let (amount, reference) = (amount.to_string(), format!("recall-{row}"));
            let record = [&*payment.id, &amount, "USD", &captured, &fee, &reference];
            writer.write_record(record).map_err(failed)?;
        }
    }
    writer.flush().map_err(|error| failed(error.into()))
}
