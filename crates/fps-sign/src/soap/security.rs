//! From an envelope to a claim: which element stands where, and what each reference of the signature
//! names; no key is known here.
//!
//! Every element that is understood has exactly one place, and an element that is not understood is
//! an error wherever the signature machinery would have to skip it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::c14n::{self, Canonicalization};
use super::tree::{BLANKS, ElementId, Node, Tree, limit};
use super::{
    BASE64_BINARY, Claim, DS, EXC_C14N, HeaderName, INC_C14N, Part, RSA_SHA1, Reference, SHA1,
    SOAP, WSSE, WSU, WSU_ID, X509_V3,
};
use crate::error::Error;

/// The most references of a signature.
const REFERENCES_MAX: usize = 16;

type Name = (&'static str, &'static str);

/// What the one Security header holds.
struct Security {
    token: ElementId,
    timestamp: ElementId,
    signed_info: ElementId,
    signature_value: ElementId,
    key_info: ElementId,
}

pub(super) fn read(envelope: &[u8]) -> Result<Claim, Error> {
    let tree = Tree::parse(envelope)?;
    if tree.has_comment() {
        return Err(limit(
            "a comment",
            "an envelope without any, because no signature covers them",
        ));
    }
    check_ids(&tree)?;
    let (header, body) = envelope_parts(&tree)?;
    let (security_id, security) = security(&tree, header)?;

    // Whatever may be signed, by its id. All of these elements stand where they must.
    let mut signable = vec![
        (body, Part::Body),
        (security.timestamp, Part::Timestamp),
        (security.token, Part::Token),
    ];
    for id in tree.child_elements(header).filter(|id| *id != security_id) {
        signable.push((id, Part::Header(header_name(&tree, id))));
    }
    let (references, signed_info) = signed_info(&tree, &security, &signable)?;
    for (part, missing) in
        [(security.timestamp, "a reference to the Timestamp"), (body, "a reference to the Body")]
    {
        if !references.iter().any(|reference| Some(reference.id()) == wsu_id(&tree, part)) {
            return Err(Error::Missing(missing));
        }
    }
    unique_headers(&references)?;
    check_key_info(&tree, &security)?;
    let (created, expires) = timestamp(&tree, security.timestamp)?;
    Ok(Claim {
        certificate: token(&tree, security.token)?,
        created,
        expires,
        references,
        signed_info,
        signature: base64(&tree, security.signature_value, "ds:SignatureValue")?,
    })
}

/// No two ids are the same, whatever their attributes are called: somebody else might resolve a
/// reference by another attribute than is done here.
fn check_ids(tree: &Tree) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for attribute in tree.elements().flat_map(|element| &element.attributes) {
        if attribute.name.local.eq_ignore_ascii_case("id")
            && !seen.insert(attribute.value.trim_matches(BLANKS))
        {
            return Err(Error::Duplicate("an id".to_owned()));
        }
    }
    Ok(())
}

/// The one Header and the one Body of the one Envelope.
fn envelope_parts(tree: &Tree) -> Result<(ElementId, ElementId), Error> {
    let root = &tree.element(Tree::ROOT).name;
    if !root.is((SOAP, "Envelope")) {
        return Err(limit("the outermost element", "an Envelope of SOAP 1.1"));
    }
    let [header, body] = children(
        tree,
        Tree::ROOT,
        [(SOAP, "Header"), (SOAP, "Body")],
        "an element in the Envelope",
    )?;
    Ok((header.ok_or(Error::Missing("Header"))?, body.ok_or(Error::Missing("Body"))?))
}

fn security(tree: &Tree, header: ElementId) -> Result<(ElementId, Security), Error> {
    let is_security = |id: &ElementId| tree.element(*id).name.is((WSSE, "Security"));
    let mut found = tree.child_elements(header).filter(is_security);
    let id = found.next().ok_or(Error::Missing("wsse:Security"))?;
    if found.next().is_some() {
        return Err(Error::Duplicate("wsse:Security".to_owned()));
    }
    let names = [(WSSE, "BinarySecurityToken"), (WSU, "Timestamp"), (DS, "Signature")];
    let [token, timestamp, signature] = children(tree, id, names, "an element in wsse:Security")?;
    let signature = signature.ok_or(Error::Missing("ds:Signature"))?;
    let names = [(DS, "SignedInfo"), (DS, "SignatureValue"), (DS, "KeyInfo")];
    let [signed_info, signature_value, key_info] =
        children(tree, signature, names, "an element in ds:Signature")?;
    let security = Security {
        token: token.ok_or(Error::Missing("wsse:BinarySecurityToken"))?,
        timestamp: timestamp.ok_or(Error::Missing("wsu:Timestamp"))?,
        signed_info: signed_info.ok_or(Error::Missing("ds:SignedInfo"))?,
        signature_value: signature_value.ok_or(Error::Missing("ds:SignatureValue"))?,
        key_info: key_info.ok_or(Error::Missing("ds:KeyInfo"))?,
    };
    Ok((id, security))
}

fn header_name(tree: &Tree, id: ElementId) -> HeaderName {
    let name = &tree.element(id).name;
    HeaderName {
        namespace: name.namespace.to_string(),
        name: name.local.clone(),
        text: text(tree, id).map(str::to_owned),
    }
}

/// The references, resolved and hashed, and the canonical form of `ds:SignedInfo`.
fn signed_info(
    tree: &Tree,
    security: &Security,
    signable: &[(ElementId, Part)],
) -> Result<(Vec<Reference>, String), Error> {
    let mut parts = tree.child_elements(security.signed_info);
    let mut next = |name: Name, missing| {
        let part = parts.next().filter(|id| tree.element(*id).name.is(name));
        part.ok_or(Error::Missing(missing))
    };
    let method = next((DS, "CanonicalizationMethod"), "ds:CanonicalizationMethod")?;
    let canonicalization = canonicalization(tree, method, "ds:CanonicalizationMethod")?;
    if canonicalization == Canonicalization::Inclusive {
        return Err(limit("ds:CanonicalizationMethod", EXC_C14N));
    }
    let method = next((DS, "SignatureMethod"), "ds:SignatureMethod")?;
    if algorithm(tree, method) != RSA_SHA1 {
        return Err(limit("ds:SignatureMethod", RSA_SHA1));
    }
    children(tree, method, [], "an element in ds:SignatureMethod")?;

    let mut references: Vec<Reference> = Vec::new();
    for id in parts {
        if !tree.element(id).name.is((DS, "Reference")) {
            return Err(limit("an element in ds:SignedInfo", "references only"));
        }
        if references.len() >= REFERENCES_MAX {
            return Err(limit("the number of references", "at most 16"));
        }
        let reference = reference(tree, id, signable)?;
        if references.iter().any(|other| other.id == reference.id) {
            return Err(Error::Duplicate("a reference".to_owned()));
        }
        references.push(reference);
    }
    blank_between(tree, security.signed_info, "ds:SignedInfo")?;
    Ok((references, c14n::write(tree, security.signed_info, &canonicalization)?))
}

fn reference(
    tree: &Tree,
    id: ElementId,
    signable: &[(ElementId, Part)],
) -> Result<Reference, Error> {
    let target = attribute(tree, id, "URI").and_then(|uri| uri.strip_prefix('#'));
    let target = target.filter(|target| !target.is_empty());
    let target = target.ok_or(limit("the URI of a reference", "# and a wsu:Id"))?;
    let found = signable.iter().find(|(id, _)| wsu_id(tree, *id) == Some(target));
    let Some((element, part)) = found else {
        // Ids that stand somewhere else are told from those that stand nowhere.
        let elsewhere = tree.elements().flat_map(|element| &element.attributes).any(|attribute| {
            attribute.name.local.eq_ignore_ascii_case("id")
                && attribute.value.trim_matches(BLANKS) == target
        });
        return Err(if elsewhere {
            limit(
                "a reference to another element",
                "the wsu:Id of the Body, of the Timestamp, of the token or of a header",
            )
        } else {
            Error::Missing("the element that a reference names")
        });
    };
    let names = [(DS, "Transforms"), (DS, "DigestMethod"), (DS, "DigestValue")];
    let [transforms, method, value] = children(tree, id, names, "an element in ds:Reference")?;
    let transforms = transforms.ok_or(Error::Missing("ds:Transforms"))?;
    let method = method.ok_or(Error::Missing("ds:DigestMethod"))?;
    let value = value.ok_or(Error::Missing("ds:DigestValue"))?;

    let names = [(DS, "Transform")];
    let [transform] = children(tree, transforms, names, "an element in ds:Transforms")?;
    let transform = transform.ok_or(Error::Missing("ds:Transform"))?;
    let canonicalization = canonicalization(tree, transform, "ds:Transform")?;
    if algorithm(tree, method) != SHA1 {
        return Err(limit("ds:DigestMethod", SHA1));
    }
    children(tree, method, [], "an element in ds:DigestMethod")?;
    let canonical = c14n::write(tree, *element, &canonicalization)?;
    Ok(Reference {
        id: target.to_owned(),
        part: part.clone(),
        digest_given: base64(tree, value, "ds:DigestValue")?,
        digest_computed: Sha1::digest(canonical.as_bytes()).to_vec(),
        canonical,
    })
}

/// The algorithm of `ds:CanonicalizationMethod` or `ds:Transform`, which both may hold a list of
/// prefixes.
fn canonicalization(
    tree: &Tree,
    id: ElementId,
    part: &'static str,
) -> Result<Canonicalization, Error> {
    let algorithm = algorithm(tree, id);
    if algorithm == INC_C14N {
        children(tree, id, [], "an element in ds:Transform")?;
        return Ok(Canonicalization::Inclusive);
    }
    if algorithm != EXC_C14N {
        return Err(limit(part, EXC_C14N));
    }
    let [prefixes] =
        children(tree, id, [(EXC_C14N, "InclusiveNamespaces")], "an element in ds:Transform")?;
    let Some(prefixes) = prefixes else { return Ok(Canonicalization::exclusive()) };
    children(tree, prefixes, [], "an element in ec:InclusiveNamespaces")?;
    let list = attribute(tree, prefixes, "PrefixList").unwrap_or_default();
    Canonicalization::with_prefix_list(list)
}

/// Two signed headers of one name would leave it to the reader which one to believe.
fn unique_headers(references: &[Reference]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for reference in references {
        if let Part::Header(header) = &reference.part
            && !seen.insert((&header.namespace, &header.name))
        {
            return Err(Error::Duplicate(header.name.clone()));
        }
    }
    Ok(())
}

/// `ds:KeyInfo` names the token by its id, and nothing else.
fn check_key_info(tree: &Tree, security: &Security) -> Result<(), Error> {
    const PART: &str = "an element in ds:KeyInfo";
    let [reference] = children(tree, security.key_info, [(WSSE, "SecurityTokenReference")], PART)?;
    let reference = reference.ok_or(Error::Missing("wsse:SecurityTokenReference"))?;
    let [reference] = children(tree, reference, [(WSSE, "Reference")], PART)?;
    let reference = reference.ok_or(Error::Missing("wsse:Reference"))?;
    children(tree, reference, [], PART)?;
    if attribute(tree, reference, "ValueType").is_some_and(|kind| kind != X509_V3) {
        return Err(limit("the ValueType of wsse:Reference", X509_V3));
    }
    let uri = attribute(tree, reference, "URI").and_then(|uri| uri.strip_prefix('#'));
    match (uri, wsu_id(tree, security.token)) {
        (Some(uri), Some(id)) if uri == id => Ok(()),
        _ => Err(limit("the URI of wsse:Reference", "# and the wsu:Id of the token")),
    }
}

fn token(tree: &Tree, id: ElementId) -> Result<Vec<u8>, Error> {
    if attribute(tree, id, "ValueType") != Some(X509_V3) {
        return Err(limit("the ValueType of wsse:BinarySecurityToken", X509_V3));
    }
    // Base64 is also what an absent EncodingType means (SOAP Message Security 1.0, 6.3).
    if attribute(tree, id, "EncodingType").is_some_and(|encoding| encoding != BASE64_BINARY) {
        return Err(limit("the EncodingType of wsse:BinarySecurityToken", BASE64_BINARY));
    }
    base64(tree, id, "wsse:BinarySecurityToken")
}

fn timestamp(tree: &Tree, id: ElementId) -> Result<(String, Option<String>), Error> {
    let names = [(WSU, "Created"), (WSU, "Expires")];
    let [created, expires] = children(tree, id, names, "an element in wsu:Timestamp")?;
    let created = created.ok_or(Error::Missing("wsu:Created"))?;
    let read = |id, part| {
        let text = text(tree, id).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(Error::Malformed(part))
    };
    let expires = expires.map(|expires| read(expires, "wsu:Expires")).transpose()?;
    Ok((read(created, "wsu:Created")?, expires))
}

/// The children of an element by their names, each at most once. Another element, or text other than
/// blanks, is an error.
fn children<const N: usize>(
    tree: &Tree,
    id: ElementId,
    names: [Name; N],
    part: &'static str,
) -> Result<[Option<ElementId>; N], Error> {
    let mut found = [None; N];
    for child in tree.child_elements(id) {
        let name = &tree.element(child).name;
        let mut slots = names.iter().zip(&mut found);
        let (known, slot) = slots
            .find(|(known, _)| name.is(**known))
            .ok_or(limit(part, "the elements of FPS's signature only"))?;
        if slot.replace(child).is_some() {
            return Err(Error::Duplicate(known.1.to_owned()));
        }
    }
    blank_between(tree, id, part)?;
    Ok(found)
}

fn blank_between(tree: &Tree, id: ElementId, part: &'static str) -> Result<(), Error> {
    let is_blank = |child: &Node| match child {
        Node::Element(_) => true,
        Node::Text(text) => text.trim_matches(BLANKS).is_empty(),
    };
    let children = &tree.element(id).children;
    if children.iter().all(is_blank) { Ok(()) } else { Err(Error::Malformed(part)) }
}

/// The text of an element that holds nothing else, without the blanks around it.
fn text(tree: &Tree, id: ElementId) -> Option<&str> {
    match tree.element(id).children.as_slice() {
        [] => Some(""),
        [Node::Text(text)] => Some(text.trim_matches(BLANKS)),
        _ => None,
    }
}

/// The value of an attribute without namespace.
fn attribute<'t>(tree: &'t Tree, id: ElementId, local: &str) -> Option<&'t str> {
    let mut attributes = tree.element(id).attributes.iter();
    attributes.find(|own| own.name.is(("", local))).map(|own| own.value.as_str())
}

fn algorithm(tree: &Tree, id: ElementId) -> &str {
    attribute(tree, id, "Algorithm").unwrap_or_default()
}

fn wsu_id(tree: &Tree, id: ElementId) -> Option<&str> {
    let mut attributes = tree.element(id).attributes.iter();
    attributes.find(|own| own.name.is(WSU_ID)).map(|own| own.value.as_str())
}

/// Base64 text, which may stand in lines.
fn base64(tree: &Tree, id: ElementId, part: &'static str) -> Result<Vec<u8>, Error> {
    let text: String = text(tree, id).ok_or(Error::Malformed(part))?.split(BLANKS).collect();
    STANDARD.decode(text).map_err(|_| Error::Malformed(part))
}
