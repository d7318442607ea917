//! The process that runs a batch, and may be killed at any moment.

use std::path::Path;
use std::sync::Arc;

use fps::refund_ledger::Ledger;
use fps::refund_runner::{Ended, Gateway, Options, Runner, SystemClock};
use fps::{
    AmazonPayConfig, AmazonPayGateway, Credentials, Environment, FlexiblePaymentsConfig,
    FlexiblePaymentsGateway, PrivateKey, Region, Secret, Settings,
};

use crate::books::Plan;
use crate::mutant::KeyPerTry;

pub(crate) fn gateway(plan: &Plan) -> Arc<dyn Gateway> {
    let settings = Settings::default();
    if plan.is_amazon_pay {
        let key = PrivateKey::from_pem(&plan.private_key_pem).unwrap();
        let config = AmazonPayConfig::new(&*plan.public_key_id, key, Region::NorthAmerica);
        let config = config.unwrap().with_endpoint(&plan.url).unwrap();
        return Arc::new(AmazonPayGateway::new(config, &settings).unwrap());
    }
    let credentials = Credentials::new(&*plan.access_key_id, Secret::new(&*plan.secret_key));
    let config = FlexiblePaymentsConfig::new(&plan.url, credentials).unwrap();
    Arc::new(FlexiblePaymentsGateway::new(config, Environment::Sandbox, &settings).unwrap())
}

/// Runs the batch to its end, unless it is killed.
pub(crate) async fn run(file: &Path, is_mutant: bool) {
    let plan: Plan = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let gateway = gateway(&plan);
    let gateway = if is_mutant { Arc::new(KeyPerTry(gateway)) } else { gateway };
    let ledger = Ledger::open(&plan.ledger).await.unwrap();
    let mut options = Options::new(format!("worker {}", std::process::id()));
    options.concurrency = 32;
    options.tries_max = 10_000;
    (options.retry_first, options.retry_longest) = (5, 50);
    (options.follow_first, options.follow_longest) = (20, 200);
    let runner = Runner::new(ledger.clone(), gateway, Arc::new(SystemClock::default()));
    let halt = std::future::pending();
    let summary = runner.run(&plan.batch, options, Arc::new(()), halt).await.unwrap();
    assert_eq!(summary.ended, Ended::Done);
    ledger.close().await;
}
