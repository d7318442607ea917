//! How a command comes to a service: every setting from flag, variable, sandbox file, profile file or
//! default, in this order, each remembering where it came from. Nothing is sent here.

mod connect;
mod layers;
mod profile;
mod recorder;
mod sandbox_file;
mod secret;
mod setting;
mod show;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(crate) use self::connect::{Connected, Shop};
use self::layers::{Found, Layer, Layers, Source, text_of};
use self::setting::{Setting, word};
pub(crate) use self::show::run;
use crate::cli::{Connection, Service};
use crate::exit::{Exit, Failure};
use crate::output::quoted;

/// The variables that name no setting but where settings are.
const CONFIG: &str = "FPS_CONFIG";
const PROFILE: &str = "FPS_PROFILE";
const SANDBOX: &str = "FPS_SANDBOX";

/// Where refunds are recorded when nothing is said.
const DEFAULT_LEDGER: &str = "refunds.db";

/// The settings of a connection, from all sources.
#[derive(Debug)]
pub(crate) struct Configuration {
    layers: Layers,
}

impl Configuration {
    /// Reads all sources.
    #[expect(
        clippy::disallowed_methods,
        reason = "only the command is configured by its environment"
    )]
    pub(crate) fn read(arguments: &Connection) -> Result<Self, Failure> {
        Self::from_sources(arguments, &|name| std::env::var_os(name))
    }

    fn from_sources(
        arguments: &Connection,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Failure> {
        let mut layers = vec![flags(arguments)?, Layer::variables(variable)?];
        let sandbox = arguments.sandbox_file.clone();
        if let Some(file) = sandbox.or_else(|| named(variable(SANDBOX))) {
            layers.push(sandbox_file::read(&file)?);
        }
        let name = match &arguments.profile {
            Some(name) => Some(name.clone()),
            None => text_of(PROFILE, variable(PROFILE))?,
        };
        if let Some(place) = profile_place(arguments.config.as_deref(), variable) {
            layers.extend(profile::read(&place, name.as_deref())?);
        }
        layers.push(Layer::defaults());
        let configuration = Self { layers: Layers(layers) };
        configuration.check()?;
        Ok(configuration)
    }

    /// Refuses words that are none, from whichever source they count.
    fn check(&self) -> Result<(), Failure> {
        for found in Setting::ALL.into_iter().filter_map(|setting| self.layers.get(setting)) {
            let words = found.setting.words();
            if !words.is_empty() && !words.iter().any(|word| word == found.text()) {
                let hint = format!("it is one of {}", words.join(", "));
                return Err(Failure::new(Exit::Usage, format!("{found} is unknown")).hint(hint));
            }
        }
        Ok(())
    }

    fn get(&self, setting: Setting) -> Option<Found<'_>> {
        self.layers.get(setting)
    }

    fn require(&self, setting: Setting) -> Result<Found<'_>, Failure> {
        self.get(setting).ok_or_else(|| missing(setting))
    }

    /// The service that is meant: as configured, or as the form of an id tells.
    pub(crate) fn service(&self, id: Option<&str>) -> Result<Service, Failure> {
        match (self.get(Setting::Service), id) {
            (Some(found), _) => Ok(word_of(found)),
            (None, Some(id)) if is_of_amazon_pay(id) => Ok(Service::AmazonPay),
            (None, Some(_)) => Ok(Service::FlexiblePayments),
            (None, None) => Err(missing(Setting::Service)),
        }
    }

    /// Where refunds are recorded: a SQLite file or the address of a database.
    pub(crate) fn ledger(&self) -> &str {
        self.get(Setting::Ledger).map_or(DEFAULT_LEDGER, |found| found.text())
    }
}

/// The word of a setting that was checked; the first there is for one that was not.
fn word_of<E: clap::ValueEnum + Clone>(found: Found<'_>) -> E {
    let variants = E::value_variants();
    let position = variants.iter().position(|it| word(it).as_deref() == Some(found.text()));
    variants[position.unwrap_or_default()].clone()
}

/// Ids of Amazon Pay begin with a letter for what they belong to, two digits and a dash; those of FPS
/// have no dashes.
fn is_of_amazon_pay(id: &str) -> bool {
    let mut bytes = id.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.next() == Some(b'-')
}

fn missing(setting: Setting) -> Failure {
    Failure::new(Exit::Usage, format!("no {setting} is configured"))
        .hint(format!("give {}; `fps config show --origin` lists what there is", setting.places()))
}

fn flags(arguments: &Connection) -> Result<Layer, Failure> {
    let mut layer = Layer::new(Source::Flags);
    let path = |setting: Setting, path: &Option<PathBuf>| {
        let not_text = |_| Failure::new(Exit::Usage, format!("{} is not UTF-8", setting.flag()));
        path.clone().map(|path| path.into_os_string().into_string().map_err(not_text)).transpose()
    };
    if arguments.ledger.as_deref().is_some_and(|ledger| password(ledger).is_some()) {
        let message = "--ledger holds a password, which everybody on this machine could read";
        return Err(Failure::new(Exit::Usage, message).hint(
            "give the address by FPS_LEDGER or in a profile, or the password by PGPASSFILE",
        ));
    }
    layer.set(Setting::Service, arguments.service.as_ref().and_then(word));
    layer.set(Setting::Region, arguments.region.as_ref().and_then(word));
    layer.set(Setting::Environment, arguments.environment.as_ref().and_then(word));
    layer.set(Setting::Endpoint, arguments.endpoint.clone());
    layer.set(Setting::PublicKeyId, arguments.public_key_id.clone());
    layer.set(Setting::AccessKeyId, arguments.access_key_id.clone());
    layer.set(Setting::Ledger, arguments.ledger.clone());
    layer.set(Setting::CertificateOrigin, arguments.certificate_origin.clone());
    for (setting, value) in [
        (Setting::PrivateKeyFile, &arguments.private_key_file),
        (Setting::SecretKeyFile, &arguments.secret_key_file),
        (Setting::Ca, &arguments.ca),
    ] {
        layer.set(setting, path(setting, value)?);
    }
    Ok(layer)
}

/// The flags of a connection as they were typed, for a shell, each with a blank before it.
pub(crate) fn typed(arguments: &Connection) -> Result<String, Failure> {
    let mut text = String::new();
    for (setting, value) in flags(arguments)?.values {
        text.push_str(&format!(" {}={}", setting.flag(), quoted(value.expose())));
    }
    let profile = arguments.profile.as_ref().map(PathBuf::from);
    for (flag, value) in [
        ("sandbox-file", &arguments.sandbox_file),
        ("config", &arguments.config),
        ("profile", &profile),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" --{flag}={}", quoted(&value.to_string_lossy())));
        }
    }
    Ok(text)
}

fn named(variable: Option<OsString>) -> Option<PathBuf> {
    variable.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where the profile file is: named, or in the user's folder for configurations.
fn profile_place(
    flag: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Option<profile::Place> {
    if let Some(file) = flag.map(Path::to_owned).or_else(|| named(variable(CONFIG))) {
        return Some(profile::Place { file, is_named: true });
    }
    let folder = named(variable("XDG_CONFIG_HOME"))
        .or_else(|| named(variable("HOME")).map(|home| home.join(".config")))?;
    Some(profile::Place { file: folder.join("fps/config.toml"), is_named: false })
}

/// The password in the address of a database, as the byte range it takes: before the host, which a
/// password may hold any character of, or as a parameter.
fn password(address: &str) -> Option<std::ops::Range<usize>> {
    let start = address.find("://")? + 3;
    let (before_query, query) = match address.find('?') {
        Some(query) => (address.get(start..query)?, query + 1),
        None => (address.get(start..)?, address.len()),
    };
    if let Some(at) = before_query.rfind('@')
        && let Some(colon) = before_query.get(..at)?.find(':')
    {
        return Some(start + colon + 1..start + at);
    }
    let mut place = query;
    for parameter in address.get(query..)?.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        if name.eq_ignore_ascii_case("password") && parameter.len() > name.len() {
            return Some(place + name.len() + 1..place + parameter.len());
        }
        place += parameter.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        connection: Connection,
    }

    fn read(flags: &[&str], variables: &[(&str, &str)]) -> Result<Configuration, String> {
        let flags = Flags::try_parse_from([&["fps"], flags].concat()).unwrap();
        let variable = |name: &str| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| OsString::from(value))
        };
        Configuration::from_sources(&flags.connection, &variable).map_err(|it| it.to_string())
    }

    #[test]
    fn each_source_counts_more_than_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (profile, sandbox) = (folder.path().join("fps/config.toml"), folder.path().join("s"));
        std::fs::create_dir(folder.path().join("fps")).unwrap();
        let text = "[profile.default]\nendpoint = 'https://profile'\nregion = 'jp'\nledger = 'l'";
        std::fs::write(&profile, text).unwrap();
        let told = r#"{"url": "https://sandbox", "authority": null, "merchants": [
            {"access_key_id": "A", "secret_key": "CANARY", "public_key_id": "P"}]}"#;
        std::fs::write(&sandbox, told).unwrap();
        let (home, sandbox) = (folder.path().to_str().unwrap(), sandbox.to_str().unwrap());
        let all = [
            ("XDG_CONFIG_HOME", home),
            ("FPS_SANDBOX", sandbox),
            ("FPS_ENDPOINT", "https://variable"),
        ];
        for (flags, skipped, endpoint, origin) in [
            (&["--endpoint", "https://flag"][..], 0, "https://flag", "flag --endpoint"),
            (&[], 0, "https://variable", "variable FPS_ENDPOINT"),
            (&[], 1, "https://sandbox", "sandbox file "),
            (&[], 2, "https://profile", "profile default in "),
        ] {
            let found = read(flags, &all[..3 - skipped]).unwrap();
            let found = found.get(Setting::Endpoint).unwrap();
            assert_eq!(found.text(), endpoint);
            assert!(found.origin().starts_with(origin), "{}", found.origin());
        }
        let found = read(&[], &all).unwrap();
        assert_eq!(found.get(Setting::Region).unwrap().text(), "jp");
        assert!(!format!("{found:?}").contains("CANARY"));
        let none = read(&[], &[]).unwrap();
        assert_eq!(none.get(Setting::Region).unwrap().origin(), "default");
        assert!(none.get(Setting::Endpoint).is_none());
    }

    #[test]
    fn a_password_is_found_in_the_address_of_a_database() {
        for (address, expected) in [
            ("postgres://u:pw@host/db", Some("pw")),
            ("postgres://u:p@w@host/db", Some("p@w")),
            ("postgres://u@host/db", None),
            ("postgres://host:5432/db", None),
            ("ledger.db", None),
            ("postgres://host/db?options=a:b@c", None),
            ("postgres://u:p/w@host/db", Some("p/w")),
            ("postgres://u@host/db?sslmode=prefer&password=pw&connect_timeout=1", Some("pw")),
        ] {
            assert_eq!(password(address).map(|range| &address[range]), expected, "{address}");
        }
        let error = read(&["--ledger", "postgres://u:CANARY@h/d"], &[]).unwrap_err();
        assert!(error.contains("--ledger holds a password") && !error.contains("CANARY"));
    }

    #[test]
    fn a_word_that_is_none_is_refused_wherever_it_stands() {
        let error = read(&[], &[("FPS_REGION", "moon")]).unwrap_err();
        assert!(error.contains("the region `moon` (variable FPS_REGION) is unknown"), "{error}");
        assert!(error.contains("hint: it is one of na, eu, jp"), "{error}");
    }

    #[test]
    fn the_form_of_an_id_tells_the_service() {
        let none = read(&[], &[]).unwrap();
        let service = |id| none.service(id).ok();
        assert_eq!(service(Some("S01-5105180-3221187-C056351")), Some(Service::AmazonPay));
        let fps = Some("14GK6F2QU755ODS27SGHEURLKPG72Z54KMF");
        assert_eq!(service(fps), Some(Service::FlexiblePayments));
        assert_eq!(service(None), None);
        let stated = read(&["--service", "amazon-pay"], &[]).unwrap();
        assert_eq!(stated.service(fps).ok(), Some(Service::AmazonPay));
    }

    #[test]
    fn two_ways_to_one_secret_are_one_too_many() {
        let both = [("FPS_SECRET_KEY", "CANARY"), ("FPS_SECRET_KEY_FILE", "f")];
        let secret = |settings: &Configuration| {
            let found = settings.layers.secret(Setting::SecretKey, Setting::SecretKeyFile);
            found.map(|found| found.unwrap().origin()).map_err(|failure| failure.to_string())
        };
        let error = secret(&read(&[], &both).unwrap()).unwrap_err();
        assert!(error.contains("both variable FPS_SECRET_KEY and") && !error.contains("CANARY"));
        let flag = read(&["--secret-key-file", "f"], &both).unwrap();
        assert_eq!(secret(&flag).unwrap(), "flag --secret-key-file");
    }
}
