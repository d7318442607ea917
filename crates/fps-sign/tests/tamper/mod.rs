//! Everything that can be done to one parameter of a message, for tests that none of it passes.

/// Names and values, decoded.
pub(crate) type Params = Vec<(String, String)>;

/// What was done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    /// One bit of one byte of a name or value.
    Bit,
    /// One byte cut out of a name or value.
    Cut,
    /// A parameter left out.
    Dropped,
    /// A parameter twice, the second one anywhere.
    Doubled,
    /// A parameter twice, the first one first and with another value.
    Shadowed,
    /// A parameter under another name: longer, shorter, in another case, or that of another.
    Renamed,
    /// A value emptied.
    Emptied,
    /// A value that is that of another parameter.
    Copied,
    /// The values of two parameters exchanged.
    Exchanged,
    /// A character moved between a name and its value, or a parameter merged into another's value.
    Shifted,
    /// A parameter that was not there.
    Added,
    /// The same parameters in another order.
    Reordered,
}

/// A message with one thing done to it.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// What was done.
    pub(crate) change: Change,
    /// The message.
    pub(crate) params: Params,
}

/// Every variant of a message. None is equal to it; changes of single bits that are no UTF-8 are
/// left out, because whoever decodes a message refuses them.
pub(crate) fn variants(params: &[(String, String)]) -> impl Iterator<Item = Variant> + '_ {
    let each = (0..params.len()).flat_map(|index| {
        bytes(params, index).chain(parameters(params, index)).chain(shifts(params, index))
    });
    let added = (0..=params.len()).flat_map(|at| {
        ["Extra", "extra", ""].map(|name| {
            let mut params = params.to_vec();
            params.insert(at, (name.to_owned(), "1".to_owned()));
            Variant { change: Change::Added, params }
        })
    });
    let given = params;
    each.chain(added).filter(move |variant| variant.params != given)
}

/// How often each change was made and how often it passed, for the figures a test prints.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// All variants.
    pub(crate) tried: usize,
    /// Those that verified, by what was done.
    pub(crate) passed: std::collections::BTreeMap<Change, usize>,
}

impl Tally {
    /// Counts one variant.
    pub(crate) fn count(&mut self, change: Change, passed: bool) {
        self.tried += 1;
        if passed {
            *self.passed.entry(change).or_default() += 1;
        }
    }
}

fn bytes(params: &[(String, String)], index: usize) -> impl Iterator<Item = Variant> + '_ {
    [false, true].into_iter().flat_map(move |is_value| {
        let text = if is_value { &params[index].1 } else { &params[index].0 };
        let rebuilt = move |change, bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).ok()?;
            let mut params = params.to_vec();
            let part = if is_value { &mut params[index].1 } else { &mut params[index].0 };
            *part = text;
            Some(Variant { change, params })
        };
        (0..text.len()).flat_map(move |position| {
            let flipped = (0..8).filter_map(move |bit| {
                let mut bytes = text.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                rebuilt(Change::Bit, bytes)
            });
            let mut cut = text.clone().into_bytes();
            cut.remove(position);
            flipped.chain(rebuilt(Change::Cut, cut))
        })
    })
}

fn parameters(params: &[(String, String)], index: usize) -> impl Iterator<Item = Variant> {
    let (name, value) = params[index].clone();
    let mut all = Vec::new();
    let mut add = |change, edit: &dyn Fn(&mut Params)| {
        let mut params = params.to_vec();
        edit(&mut params);
        all.push(Variant { change, params });
    };
    add(Change::Dropped, &|params| {
        params.remove(index);
    });
    for at in 0..=params.len() {
        add(Change::Doubled, &|params| params.insert(at, (name.clone(), value.clone())));
    }
    add(Change::Shadowed, &|params| params.insert(0, (name.clone(), "1".to_owned())));
    add(Change::Emptied, &|params| params[index].1.clear());
    for other in [
        format!("{name}2"),
        format!(" {name}"),
        name.to_ascii_lowercase(),
        name.to_ascii_uppercase(),
        String::new(),
    ] {
        add(Change::Renamed, &|params| params[index].0.clone_from(&other));
    }
    for other in (0..params.len()).filter(|other| *other != index) {
        add(Change::Renamed, &|params| params[index].0 = params[other].0.clone());
        add(Change::Copied, &|params| params[index].1 = params[other].1.clone());
    }
    for other in index + 1..params.len() {
        add(Change::Exchanged, &|params| {
            params[index].1 = params[other].1.clone();
            params[other].1.clone_from(&value);
        });
        add(Change::Reordered, &|params| params.swap(index, other));
    }
    all.into_iter()
}

/// The variants that a text without delimiters cannot tell from the original.
fn shifts(params: &[(String, String)], index: usize) -> impl Iterator<Item = Variant> {
    let (name, value) = params[index].clone();
    let mut all = Vec::new();
    let mut add = |params| all.push(Variant { change: Change::Shifted, params });
    if let Some((last, _)) = name.char_indices().last() {
        let mut params = params.to_vec();
        params[index] = (name[..last].to_owned(), format!("{}{value}", &name[last..]));
        add(params);
    }
    if let Some(first) = value.chars().next() {
        let mut params = params.to_vec();
        let rest = value[first.len_utf8()..].to_owned();
        params[index] = (format!("{name}{first}"), rest);
        add(params);
    }
    for other in (0..params.len()).filter(|other| *other != index) {
        for (joint, equals) in [("", ""), ("&", "="), ("\n", "\n"), ("\n", "=")] {
            let mut params = params.to_vec();
            params[other].1.push_str(&format!("{joint}{name}{equals}{value}"));
            params.remove(index);
            add(params);
        }
    }
    all.into_iter()
}
