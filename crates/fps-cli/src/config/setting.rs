//! The list of settings of a connection: their names wherever they are given, and which words they take;
//! no value is kept here.

use std::fmt;

use clap::ValueEnum;

use crate::cli::{Environment, Region, Service};

/// A setting of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    Service,
    Region,
    Environment,
    Endpoint,
    PublicKeyId,
    PrivateKey,
    PrivateKeyFile,
    AccessKeyId,
    SecretKey,
    SecretKeyFile,
    Ca,
    Ledger,
    CertificateOrigin,
}

impl Setting {
    pub(crate) const ALL: [Self; 13] = [
        Self::Service,
        Self::Region,
        Self::Environment,
        Self::Endpoint,
        Self::PublicKeyId,
        Self::PrivateKey,
        Self::PrivateKeyFile,
        Self::AccessKeyId,
        Self::SecretKey,
        Self::SecretKeyFile,
        Self::Ca,
        Self::Ledger,
        Self::CertificateOrigin,
    ];

    /// Its name in a profile file; the flag and the variable are made of it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Region => "region",
            Self::Environment => "environment",
            Self::Endpoint => "endpoint",
            Self::PublicKeyId => "public_key_id",
            Self::PrivateKey => "private_key",
            Self::PrivateKeyFile => "private_key_file",
            Self::AccessKeyId => "access_key_id",
            Self::SecretKey => "secret_key",
            Self::SecretKeyFile => "secret_key_file",
            Self::Ca => "ca",
            Self::Ledger => "ledger",
            Self::CertificateOrigin => "certificate_origin",
        }
    }

    /// The flag; a secret has none, because everybody on the machine can read command lines.
    pub(crate) fn flag(self) -> String {
        format!("--{}", self.name().replace('_', "-"))
    }

    /// The environment variable.
    pub(crate) fn variable(self) -> String {
        format!("FPS_{}", self.name().to_ascii_uppercase())
    }

    /// Is it a secret itself, and not where one is?
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::SecretKey)
    }

    /// Does it name a file?
    pub(crate) const fn is_file(self) -> bool {
        matches!(self, Self::PrivateKeyFile | Self::SecretKeyFile | Self::Ca)
    }

    /// The words it takes; none where any text may do.
    pub(crate) fn words(self) -> Vec<String> {
        match self {
            Self::Service => words_of::<Service>(),
            Self::Region => words_of::<Region>(),
            Self::Environment => words_of::<Environment>(),
            _ => Vec::new(),
        }
    }

    /// Where it can be given, for a hint.
    pub(crate) fn places(self) -> String {
        match self.is_secret() {
            true => format!("{}, or {}_file in a profile", self.variable(), self.name()),
            false => {
                format!("{}, {}, or {} in a profile", self.flag(), self.variable(), self.name())
            }
        }
    }
}

/// Its name in prose.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))
    }
}

/// A word as it is given on the command line.
pub(crate) fn word(value: &impl ValueEnum) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_owned())
}

fn words_of<E: ValueEnum>() -> Vec<String> {
    E::value_variants().iter().filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::CommandFactory;

    /// The page, the flags and this list are one list.
    #[test]
    fn every_setting_is_in_the_page_and_has_its_flag() {
        let page = include_str!("../../../../docs/settings.md");
        let rows: Vec<_> = page.lines().filter(|line| line.contains("| `FPS_")).collect();
        assert_eq!(rows.len(), Setting::ALL.len());
        let command = crate::cli::Arguments::command();
        let status = command.find_subcommand("status").unwrap();
        for (setting, row) in Setting::ALL.into_iter().zip(rows) {
            let (flag, profile) = match setting.is_secret() {
                true => (String::new(), String::new()),
                false => (format!(" `{}`", setting.flag()), format!(" `{}`", setting.name())),
            };
            let expected = format!("|{flag} | `{}` |{profile} | ", setting.variable());
            assert!(row.starts_with(&expected), "{expected}\n{row}");
            let flag = setting.flag();
            let has_flag =
                status.get_arguments().any(|it| it.get_long() == flag.strip_prefix("--"));
            assert_eq!(has_flag, !setting.is_secret(), "{flag}");
        }
    }
}
