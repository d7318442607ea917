//! Compares the generated WSDL with Amazon's, line by line of their tables. A difference must be listed
//! with its reason, and what is listed must differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::table;
use crate::Outcome;

/// The differences that are meant, each under its reason.
const DIFFERENCES: &str = "crates/fps-model/tests/wsdl/differences.txt";

/// Compares with the WSDL in a file and prints the differences under their reasons.
pub(in crate::codegen) fn run(root: &Path, ours: &str, file: &Path) -> Outcome {
    let theirs =
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let differences = differences(&table::lines(ours)?, &table::lines(&theirs)?);
    let allowed = Allowed::read(&fs::read_to_string(root.join(DIFFERENCES))?)?;
    let report = allowed.explain(&differences);
    print!("{}", report.explained);
    report.outcome()
}

/// What differs, sorted by what it is about: `-` theirs alone, `+` ours alone, `!` another order.
fn differences(ours: &[String], theirs: &[String]) -> Vec<String> {
    let (left, right): (BTreeSet<_>, BTreeSet<_>) =
        (theirs.iter().collect(), ours.iter().collect());
    let mut all: Vec<String> = left.difference(&right).map(|line| format!("- {line}")).collect();
    all.extend(right.difference(&left).map(|line| format!("+ {line}")));
    all.extend(reordered(ours, theirs));
    all.sort_by_cached_key(|line| sorted_by(line));
    all
}

/// What a difference is about, then theirs before ours.
fn sorted_by(difference: &str) -> (String, bool, String) {
    let (sign, line) = difference.split_at_checked(2).unwrap_or((difference, ""));
    let about: Vec<_> = line.split(' ').take(3).collect();
    (about.join(" "), sign.starts_with('+'), line.to_owned())
}

/// Sequences whose common fields stand in another order.
fn reordered(ours: &[String], theirs: &[String]) -> Vec<String> {
    let (left, right) = (sequences(theirs), sequences(ours));
    let mut out = Vec::new();
    for (owner, fields) in &left {
        let Some(others) = right.get(owner) else { continue };
        let common: Vec<_> = fields.iter().filter(|field| others.contains(field)).collect();
        let mirrored = others.iter().filter(|field| fields.contains(field));
        if !mirrored.eq(common) {
            out.push(format!("! order {owner}"));
        }
    }
    out
}

/// The names of the fields of every owner, in their order.
fn sequences(lines: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in lines {
        let mut words = line.split(' ');
        if let (Some("field"), Some(owner), Some(name)) = (words.next(), words.next(), words.next())
        {
            all.entry(owner).or_default().push(name);
        }
    }
    all
}

/// The listed differences with their reasons, in the order of the file.
struct Allowed {
    rows: Vec<(String, Vec<String>)>,
}

/// What became of a comparison.
struct Report {
    /// Every reason with its differences.
    explained: String,
    unexplained: Vec<String>,
    /// Listed, but no difference any more.
    unused: Vec<String>,
}

impl Allowed {
    /// Reads reasons, each followed by its differences; a line that begins with `#` is a remark.
    fn read(text: &str) -> Outcome<Self> {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            if !["- ", "+ ", "! "].iter().any(|sign| line.starts_with(sign)) {
                rows.push((line.to_owned(), Vec::new()));
                continue;
            }
            let seen = rows.iter().any(|(_, lines)| lines.iter().any(|other| other == line));
            match rows.last_mut() {
                Some((_, lines)) if !seen => lines.push(line.to_owned()),
                Some(_) => return Err(format!("listed twice: {line}").into()),
                None => return Err(format!("has no reason: {line}").into()),
            }
        }
        match rows.iter().find(|(_, lines)| lines.is_empty()) {
            Some((reason, _)) => Err(format!("explains nothing: {reason}").into()),
            None => Ok(Self { rows }),
        }
    }

    fn explain(&self, differences: &[String]) -> Report {
        let mut explained = String::new();
        let mut unused = Vec::new();
        for (reason, lines) in &self.rows {
            let (found, missing): (Vec<_>, Vec<_>) =
                lines.iter().partition(|line| differences.contains(line));
            if !found.is_empty() {
                explained += &format!("{reason}\n");
                explained.extend(found.iter().map(|line| format!("  {line}\n")));
            }
            unused.extend(missing.into_iter().cloned());
        }
        let listed = |line: &&String| self.rows.iter().any(|(_, lines)| lines.contains(line));
        let unexplained = differences.iter().filter(|line| !listed(line)).cloned().collect();
        Report { explained, unexplained, unused }
    }
}

impl Report {
    fn outcome(&self) -> Outcome {
        let list = |title: &str, lines: &[String]| {
            let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
            if lines.is_empty() { lines } else { format!("{title}{lines}\n") }
        };
        let unexplained = list("without a reason:", &self.unexplained);
        let unused = list("listed, but not different:", &self.unused);
        if unexplained.is_empty() && unused.is_empty() {
            return Ok(());
        }
        Err(format!("see {DIFFERENCES}\n{unexplained}{unused}").trim_end().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codegen::{spec, wsdl};

    /// Amazon's WSDL, as a table.
    const TABLE: &str = "crates/fps-model/tests/wsdl/amazon-fps-2008-09-17.txt";

    fn lines(text: &str) -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn ours() -> Vec<String> {
        let services = spec::read(&crate::root().join("crates/fps-model/spec")).unwrap();
        let fps = services.iter().find(|service| service.name == "flexible_payments").unwrap();
        table::lines(&wsdl::file(fps).1).unwrap()
    }

    #[test]
    fn the_generated_wsdl_agrees_with_amazons() {
        let root = crate::root();
        let theirs = lines(&fs::read_to_string(root.join(TABLE)).unwrap());
        assert!(theirs.len() > 500);
        let listed = fs::read_to_string(root.join(DIFFERENCES)).unwrap();
        let ours = ours();
        assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), ours.len(), "a line stands twice");
        let report = Allowed::read(&listed).unwrap().explain(&differences(&ours, &theirs));
        report.outcome().unwrap();
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        // What stands in theirs, what stands there in ours, what is said of it.
        let rows = [
            ("field A X xs:string 1..1", "field A X xs:string 1..1", ""),
            (
                "field A X xs:string 1..1",
                "field A X xs:string 0..1",
                "- field A X xs:string 1..1|+ field A X xs:string 0..1",
            ),
            ("value A X", "", "- value A X"),
            ("", "operation A", "+ operation A"),
            ("field A X x 1..1|field A Y y 1..1", "field A Y y 1..1|field A X x 1..1", "! order A"),
            (
                "field A X x 1..1|field A Y y 1..1",
                "field A X x 1..1|field A Z z 1..1|field A Y y 1..1",
                "+ field A Z z 1..1",
            ),
        ];
        let table = |text: &str| lines(&text.replace('|', "\n"));
        for (theirs, ours, said) in rows {
            let mut said = table(said);
            let mut found = differences(&table(ours), &table(theirs));
            said.sort();
            found.sort();
            assert_eq!(found, said, "{theirs} and {ours}");
        }
    }

    #[test]
    fn a_difference_needs_a_reason_and_a_reason_a_difference() {
        let found = ["+ operation A".to_owned(), "- operation B".to_owned()];
        let allowed =
            Allowed::read("# remark\n\nA is new.\n+ operation A\n- operation B\n").unwrap();
        assert_eq!(allowed.explain(&found).explained.lines().count(), 3);
        assert!(allowed.explain(&found).outcome().is_ok());
        let unused = allowed.explain(&found[..1]).outcome().unwrap_err().to_string();
        assert!(unused.contains("not different:\n  - operation B"), "{unused}");
        let allowed = Allowed::read("A is new.\n+ operation A\n").unwrap();
        let unexplained = allowed.explain(&found).outcome().unwrap_err().to_string();
        assert!(unexplained.contains("reason:\n  - operation B"), "{unexplained}");
        for wrong in ["+ operation A", "Why.", "Why.\n+ operation A\n+ operation A"] {
            assert!(Allowed::read(wrong).is_err(), "{wrong}");
        }
    }
}
