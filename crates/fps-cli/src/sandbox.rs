//! `fps sandbox`: both services on this machine until a signal ends it; what is served is not decided
//! here.

mod keys;
mod many;
mod report;
mod snippets;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fps::Secret;
use fps_sandbox::{Config, FaultPlan, MerchantSpec, Sandbox, Throttle};

use self::keys::Keys;
use self::report::Started;
use crate::cli::{self, Limits};
use crate::exit::{Exit, Failure, OrFail};
use crate::output::print;
use crate::place::{Place, SANDBOX_FAILED, beside, not_started};
use crate::progress::tell;
use crate::runtime::block_on;
use crate::signals;

/// Serves until a signal ends it, which is how it is meant to end.
pub(crate) fn run(arguments: &cli::Sandbox) -> Result<(), Failure> {
    block_on(serve(arguments))
}

async fn serve(arguments: &cli::Sandbox) -> Result<(), Failure> {
    let ended = signals::ended()?;
    let place = Place::new(arguments.db.as_ref())?;
    let database = place.database()?;
    let config = config(arguments, &database)?;
    let token = config.control_token.clone();
    let kept = config.ca_file();
    let written = (!config.http && kept.is_none()).then(|| beside(&database, ".ca.pem"));
    let sandbox = Sandbox::start(config)
        .await
        .map_err(|error| not_started(error, &database, arguments.port))?;
    let serving = async {
        let keys = prepare(arguments, &sandbox, &database).await?;
        if let Some(file) = &written {
            keys::write_private(file, sandbox.ca_pem())?;
        }
        if let (Some(payments), Some(file)) = (arguments.payments, &arguments.batch_file) {
            many::make(&sandbox.control(), payments, file).await?;
        }
        print(arguments.output, &Started::new(&sandbox, kept.or(written), token, keys))
    };
    let outcome = serving.await;
    if outcome.is_ok() {
        ended.await;
        tell(&sandbox.audit().await.or_fail(SANDBOX_FAILED)?.to_string());
    }
    // The sandbox lets go of its file before the folder goes, whatever happened.
    let stopped = sandbox.stop().await;
    outcome?;
    stopped.or_fail(SANDBOX_FAILED)
}

fn config(arguments: &cli::Sandbox, database: &Path) -> Result<Config, Failure> {
    let mut config = Config::new(database)
        .port(arguments.port)
        .bind(arguments.bind)
        .processing(Duration::from_millis(arguments.processing.into()))
        .legacy_v1(arguments.legacy_v1)
        .auto_approve(arguments.auto_approve)
        .throttle(match arguments.throttle {
            Limits::Off => Throttle::Off,
            Limits::Live => Throttle::Live,
            Limits::Sandbox => Throttle::Sandbox,
        });
    if arguments.http {
        config = config.http();
    }
    if let Some(folder) = &arguments.tls_dir {
        config = config.tls_dir(folder);
    }
    for host in &arguments.allow_host {
        config = config.allow_host(host);
    }
    if let Some(seed) = arguments.seed {
        config = config.seed(seed);
    }
    if let Some(file) = &arguments.faults {
        let not_read = || format!("the fault rules in {} cannot be read", file.display());
        let text = read(file)?;
        let plan = FaultPlan::from_json(&text)
            .map_err(|error| Failure::new(Exit::Usage, not_read()).because(error))?;
        config = config.faults(plan);
    }
    // Who is not on this machine needs a word to get in.
    if !arguments.bind.is_loopback() {
        config = config.control_token(random_token()?);
    }
    Ok(config)
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(Exit::Usage, format!("{} cannot be read", file.display())).because(error)
    })
}

fn random_token() -> Result<Secret, Failure> {
    let mut bytes = [0_u8; 16];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secret::new(text))
}

/// What is in the sandbox: as it was kept, or made now.
async fn prepare(
    arguments: &cli::Sandbox,
    sandbox: &Sandbox,
    database: &Path,
) -> Result<Keys, Failure> {
    let control = sandbox.control();
    if control.health().await.or_fail(SANDBOX_FAILED)?.merchants > 0 {
        return Keys::kept(&control, database).await;
    }
    let mut keys = match &arguments.seed_file {
        Some(file) => {
            let not_made = || format!("what {} names cannot be made", file.display());
            let usage = |error| Failure::new(Exit::Usage, not_made()).because(error);
            let seed = fps_sandbox::Seed::from_json(read(file)?.as_bytes()).map_err(usage)?;
            Keys::of(control.seed(seed).await.map_err(usage)?)
        }
        None => {
            let mut spec = MerchantSpec::new("Test Business");
            if let Some(url) = &arguments.merchant_notify {
                spec = spec.notification_url(url);
            }
            Keys::make(sandbox, spec).await?
        }
    };
    keys.keep(database)?;
    Ok(keys)
}
