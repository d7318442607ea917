//! The profile file: tables `[profile.NAME]` of settings in TOML. What is not known in it is an error
//! that names the line, and never what stands there, which may be a secret.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::{Layer, Source};
use super::setting::Setting;
use crate::exit::{Exit, Failure};

/// The name of the profile that is used if none is named.
pub(super) const DEFAULT: &str = "default";

/// Which file, and whether somebody named it: one that nobody named need not be there.
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) is_named: bool,
}

/// Reads one profile of a file. `None` without the file, if nobody named it, nor the profile.
pub(super) fn read(place: &Place, name: Option<&str>) -> Result<Option<Layer>, Failure> {
    let file = &place.file;
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !place.is_named && name.is_none() => {
            return Ok(None);
        }
        Err(error) => {
            let message = format!("the profile file {} cannot be read", file.display());
            return Err(Failure::new(Exit::Usage, message).because(error));
        }
    };
    parse(&text, file, name)
}

/// Reads all of it, so that a mistake in another profile is seen before that one is needed.
fn parse(text: &str, file: &Path, name: Option<&str>) -> Result<Option<Layer>, Failure> {
    let wrong = |offset: usize, what: &str| {
        let line = text.get(..offset).unwrap_or(text).matches('\n').count() + 1;
        Failure::new(Exit::Usage, format!("{}, line {line}: {what}", file.display()))
    };
    let document = DeTable::parse(text).map_err(|error| {
        wrong(error.span().map_or(0, |span| span.start), &format!("no TOML: {}", error.message()))
    })?;
    let wanted = name.unwrap_or(DEFAULT);
    let mut found = None;
    for (key, value) in document.get_ref() {
        let profiles = match (key.get_ref().as_ref(), value.get_ref()) {
            ("profile", DeValue::Table(profiles)) => profiles,
            ("profile", _) => return Err(wrong(key.span().start, "`profile` is no table")),
            _ => return Err(wrong(key.span().start, "only tables `[profile.NAME]` stand here")),
        };
        for (key, value) in profiles {
            let DeValue::Table(settings) = value.get_ref() else {
                return Err(wrong(key.span().start, "a profile is a table `[profile.NAME]`"));
            };
            let mut layer = Layer::new(Source::Profile {
                name: key.get_ref().as_ref().to_owned(),
                file: file.to_owned(),
            });
            for (key, value) in settings {
                let (setting, text) = entry(key.get_ref(), value, file)
                    .map_err(|what| wrong(key.span().start, &what))?;
                layer.set(setting, Some(text));
            }
            if key.get_ref().as_ref() == wanted {
                found = Some(layer);
            }
        }
    }
    match (found, name) {
        (None, Some(name)) => {
            let message = format!("{} has no profile `{name}`", file.display());
            Err(Failure::new(Exit::Usage, message)
                .hint("name one of its tables `[profile.NAME]` with --profile or FPS_PROFILE"))
        }
        (found, _) => Ok(found),
    }
}

/// One setting, or what is wrong with it.
fn entry(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    file: &Path,
) -> Result<(Setting, String), String> {
    let known = Setting::ALL.into_iter().find(|setting| setting.name() == name);
    let setting = match known {
        Some(setting) if setting.is_secret() => {
            return Err(format!("`{name}` is a secret: name its file by `{name}_file`"));
        }
        Some(setting) => setting,
        None => {
            let names: Vec<_> =
                Setting::ALL.iter().filter(|it| !it.is_secret()).map(|it| it.name()).collect();
            return Err(format!("no setting is called `{name}`; there are {}", names.join(", ")));
        }
    };
    let DeValue::String(text) = value.get_ref() else {
        return Err(format!("`{name}` is no string"));
    };
    if setting.is_file() {
        // A file is named from where it is written down, not from where the command is called.
        let folder = file.parent().unwrap_or(Path::new(""));
        return match folder.join(text.as_ref()).into_os_string().into_string() {
            Ok(path) => Ok((setting, path)),
            Err(_) => Err(format!("`{name}` is not in a folder whose name is UTF-8")),
        };
    }
    Ok((setting, text.as_ref().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, name: Option<&str>) -> Result<Option<Layer>, String> {
        parse(text, Path::new("/etc/fps/config.toml"), name).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_never_with_what_stands_there() {
        for (text, line, what) in [
            ("[profile.default]\nregoin = \"CANARY\"", 2, "no setting is called `regoin`"),
            ("\n[profile.default]\nsecret_key = \"CANARY\"", 3, "`secret_key` is a secret"),
            ("[profile.other]\nprivate_key = \"CANARY\"", 2, "private_key_file"),
            ("[profile.default]\nregion = 7", 2, "`region` is no string"),
            ("region = \"CANARY\"", 1, "only tables"),
            ("profile = \"CANARY\"", 1, "`profile` is no table"),
            ("[profile]\ndefault = \"CANARY\"", 2, "a profile is a table"),
            ("[profile.default]\n\nregion = CANARY", 3, "no TOML"),
            ("[profile.default]\nregion = \"na\"\nregion = \"CANARY\"", 3, "no TOML"),
        ] {
            let error = read_text(text, None).unwrap_err();
            let start = format!("error: /etc/fps/config.toml, line {line}: ");
            assert!(error.starts_with(&start) && error.contains(what), "{text}\n{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn a_profile_is_found_by_its_name() {
        let text =
            "[profile.default]\nregion = \"eu\"\n[profile.shop]\nprivate_key_file = \"k.pem\"";
        let found = |name| read_text(text, name).unwrap().unwrap();
        assert_eq!(found(None).values[&Setting::Region].expose(), "eu");
        let shop = found(Some("shop"));
        assert!(!shop.values.contains_key(&Setting::Region));
        assert_eq!(shop.values[&Setting::PrivateKeyFile].expose(), "/etc/fps/k.pem");
        assert!(read_text(text, Some("none")).unwrap_err().contains("has no profile `none`"));
        assert!(read_text("", None).unwrap().is_none(), "nobody asked for it by name");
    }
}
