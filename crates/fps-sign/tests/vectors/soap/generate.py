"""Makes c14n.txt and the signed envelopes of this folder; see README.md.

    python3 generate.py     needs lxml, and xmlsec1 and java in the path

The expected octets of c14n.txt are libxml2's: by lxml for a root element, by xmlsec1 (which prints what
it hashes) for an element inside a document. The JDK's canonicaliser must agree with every one.
"""

import base64, os, pathlib, re, subprocess, sys, tempfile
from lxml import etree

HERE = pathlib.Path(__file__).parent
KEYS = HERE.parent.parent / "keys"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
INC = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
WSA = "http://www.w3.org/2005/08/addressing"
FPS = "http://fps.amazonaws.com/doc/2008-09-17/"
B64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
U = f'xmlns:wsu="{WSU}"'

# name, form (exclusive or inclusive), prefixes, id (empty: the root), input
CASES = []


def case(name, text, forms="exclusive", id="", prefixes=""):
    for form in forms.split():
        suffix = "" if forms == "exclusive" else f"-{form}"
        CASES.append((name + suffix, form, prefixes if form == "exclusive" else "", id, text))


BOTH = "exclusive inclusive"

# Exclusive XML Canonicalization 1.0, sections 2.1 and 2.2.
case("w3c-2.1-original", '<n1:elem1 xmlns:n1="http://b.example">\n    content\n</n1:elem1>', BOTH)
case("w3c-2.1-enveloped", '<n0:pdu xmlns:n0="http://a.example">\n   <n1:elem1 xmlns:n1="http://b.example" '
     + U + ' wsu:Id="x">\n       content\n   </n1:elem1>\n</n0:pdu>', BOTH, "x")
case("w3c-2.1-enveloped-root", '<n0:pdu xmlns:n0="http://a.example">\n   <n1:elem1 xmlns:n1="http://b.example">\n       content\n   </n1:elem1>\n</n0:pdu>', BOTH)
N2A = f"""<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org" {U}>
   <n1:elem2 xmlns:n1="http://example.net" xml:lang="en" wsu:Id="x">
       <n3:stuff xmlns:n3="ftp://example.org"/>
   </n1:elem2>
</n0:local>"""
N2B = f"""<n2:pdu xmlns:n1="http://example.com" xmlns:n2="http://foo.example" xmlns:n4="http://foo.example" {U} xml:lang="fr" xml:space="retain">
   <n1:elem2 xmlns:n1="http://example.net" xml:lang="en" wsu:Id="x">
       <n3:stuff xmlns:n3="ftp://example.org"/>
   </n1:elem2>
</n2:pdu>"""
case("w3c-2.2-first", N2A, BOTH, "x")
case("w3c-2.2-second", N2B, BOTH, "x")
case("w3c-2.2-second-root", N2B, BOTH)

# Canonical XML 1.0, sections 3.1 to 3.6, without what needs a document type.
case("w3c-3.2-whitespace", "<doc>\n   <clean>   </clean>\n   <dirty>   A   B   </dirty>\n   <mixed>\n      A\n      <clean>   </clean>\n      B\n      <dirty>   A   B   </dirty>\n      C\n   </mixed>\n</doc>", BOTH)
case("w3c-3.3-tags", '<doc>\n   <e1   />\n   <e2   ></e2>\n   <e3   name = "elem3"   id="elem3"   />\n   <e4   name="elem4"   id="elem4"   ></e4>\n   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I\'m"\n      xmlns:b="http://www.ietf.org"\n      xmlns:a="http://www.w3.org"\n      xmlns="http://example.org"/>\n   <e6 xmlns="" xmlns:a="http://www.w3.org">\n      <e7 xmlns="http://www.ietf.org">\n         <e8 xmlns="" xmlns:a="http://www.w3.org">\n            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>\n         </e8>\n      </e7>\n   </e6>\n</doc>', BOTH)
case("w3c-3.4-references", '<doc>\n   <text>First line&#x0d;&#10;Second line</text>\n   <value>&#x32;</value>\n   <compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute>\n   <compute expr=\'value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"\'>valid</compute>\n   <norm attr=\' &apos;   &#x20;&#13;&#xa;&#9;   &apos; \'/>\n</doc>', BOTH)
case("w3c-3.6-encoding", '<?xml version="1.0" encoding="UTF-8"?><doc>\u00a9&#169;</doc>', BOTH)

# Namespaces.
case("default-namespace", '<a xmlns="http://a.example"><b/></a>', BOTH)
case("default-undeclared", '<a xmlns="http://a.example"><b xmlns=""><c/></b></a>', BOTH)
case("default-undeclared-below-a-prefix", '<p:a xmlns:p="http://p.example" xmlns="http://a.example"><b xmlns=""/></p:a>', BOTH)
case("default-undeclared-where-none-was", '<a xmlns=""><b xmlns=""/></a>', BOTH)
case("default-redeclared", '<a xmlns="http://a.example"><b xmlns="http://b.example"><c xmlns="http://a.example"/></b></a>', BOTH)
case("default-unused-by-prefixed", '<p:a xmlns="http://a.example" xmlns:p="http://p.example"><p:b><c/></p:b></p:a>', BOTH)
case("default-through-prefixed", '<a xmlns="http://a.example"><p:b xmlns:p="http://p.example"><c xmlns=""/><d/></p:b></a>', BOTH)
case("prefix-shadowed", '<p:a xmlns:p="http://a.example"><p:b xmlns:p="http://b.example"><p:c/></p:b><p:d/></p:a>', BOTH)
case("prefix-shadowed-and-back", '<p:a xmlns:p="http://a.example"><p:b xmlns:p="http://b.example"><p:c xmlns:p="http://a.example"/></p:b></p:a>', BOTH)
case("prefix-shadowed-unseen", '<p:a xmlns:p="http://a.example"><b xmlns:p="http://b.example"><p:c xmlns:p="http://a.example"/></b></p:a>', BOTH)
case("prefix-superfluous", '<p:a xmlns:p="http://a.example"><p:b xmlns:p="http://a.example"/></p:a>', BOTH)
case("prefix-unused", '<a xmlns:p="http://a.example" xmlns:q="http://b.example"><p:b/><q:c/><p:d q:e=""/></a>', BOTH)
case("prefix-used-by-attribute", '<a xmlns:p="http://a.example"><b p:c="1"><d p:c="2"/></b><e p:c="3"/></a>', BOTH)
case("prefix-used-in-a-value-only", '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:string">t</a>', BOTH)
case("two-prefixes-one-namespace", '<p:a xmlns:p="http://a.example" xmlns:q="http://a.example"><q:b/><p:c/></p:a>', BOTH)
case("declarations-sorted", '<a xmlns:b="http://1.example" xmlns:B="http://2.example" xmlns:a="http://3.example" xmlns="http://4.example" xmlns:_="http://5.example" xmlns:\u00e4="http://6.example" b:x="" B:x="" a:x="" _:x="" \u00e4:x=""/>', BOTH)
case("namespace-with-references", '<a xmlns="http://a.example/?x=1&amp;y=2"/>', BOTH)
case("namespace-urn", '<a xmlns="urn:x-y:z"/>', BOTH)
case("xml-prefix", '<a xml:lang="en" xml:space="preserve"><b xml:lang="de"/></a>', BOTH)
case("xml-prefix-declared", '<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>', BOTH)
case("xml-attributes-inherited", f'<a xml:lang="en" xml:space="preserve" {U}><b xml:lang="de"><c wsu:Id="x" z="1" a="2"/></b></a>', BOTH, "x")
case("scope-of-an-inner-element", f'<a xmlns="http://a.example" xmlns:p="http://p.example" xmlns:q="http://q.example" {U}><p:b><c wsu:Id="x"><p:d/><q:e/></c></p:b></a>', BOTH, "x")
case("default-undeclared-inside", f'<a xmlns="http://a.example" {U}><b xmlns="" wsu:Id="x"><c/></b></a>', BOTH, "x")

# InclusiveNamespaces.
case("list-of-one", '<p:a xmlns:p="http://p.example" xmlns:q="http://q.example"><p:b><q:c/></p:b></p:a>', prefixes="q")
# Not at the root: lxml leaves `#default` out of the list that it gives to libxml2.
case("list-of-the-default", f'<w {U}><p:a wsu:Id="x" xmlns:p="http://p.example" xmlns="http://a.example"><p:b/></p:a></w>', id="x", prefixes="#default")
case("list-of-the-default-undeclared", f'<w {U}><p:a wsu:Id="x" xmlns:p="http://p.example" xmlns="http://a.example"><p:b xmlns=""/></p:a></w>', id="x", prefixes="#default p")
case("list-of-the-default-unset", f'<w {U}><p:a wsu:Id="x" xmlns:p="http://p.example"><p:b xmlns="http://a.example"/></p:a></w>', id="x", prefixes="#default")
case("list-of-the-unknown", '<p:a xmlns:p="http://p.example"><q:b xmlns:q="http://q.example"/></p:a>', prefixes="q r")
case("list-redeclared", '<a xmlns:q="http://q.example"><b xmlns:q="http://r.example"><c xmlns:q="http://q.example"/></b></a>', prefixes="q")
case("list-of-an-inner-element", f'<p:a xmlns:p="http://p.example" xmlns:q="http://q.example" xmlns="http://a.example" {U}><p:b wsu:Id="x"><q:c/></p:b></p:a>', id="x", prefixes="p q")
case("list-of-an-inner-default", f'<p:a xmlns:p="http://p.example" xmlns:q="http://q.example" xmlns="http://a.example" {U}><p:b wsu:Id="x"><q:c/></p:b></p:a>', id="x", prefixes="#default q")
case("list-of-xml", '<a xml:lang="en"/>', prefixes="xml")

# Attributes and text.
case("attributes-sorted", '<a b="1" a="2" B="3" _="4" xmlns:p="http://z.example" xmlns:q="http://a.example" p:a="5" q:b="6" q:a="7"/>', BOTH)
case("attributes-sorted-beyond-ascii", '<a xmlns:p="urn:b" xmlns:q="urn:a" p:a="1" q:a="2" \u0436="3" z="4" \u00e4="5"/>', BOTH)
case("attribute-quotes", "<a b='\"' c=\"'\" d='&apos;&quot;'/>", BOTH)
case("attribute-escapes", '<a b="&lt;&gt;&amp;&quot;&apos;>" c="&#x9;&#xA;&#xD;&#x20;"/>', BOTH)
case("attribute-blanks", '<a b="\t1\n2\r\n3\r4  5 "/>', BOTH)
case("attribute-blanks-referred", '<a b=" &#32; &#13;&#10; "/>', BOTH)
case("text-escapes", "<a>&lt;&gt;&amp;&quot;&apos;>\"'&#xD;&#xA;&#x9;</a>", BOTH)
case("text-line-ends", "<a>1\r\n2\r3\n4\r\r\n5</a>", BOTH)
case("text-tabs", "<a>\t1\t</a>", BOTH)
case("text-bracket", "<a>]] &gt; ]]&gt; ]></a>", BOTH)
case("text-beyond-the-bmp", "<a b=\"\U0001f4b6\">\U0001f4b6 &#x1F4B6; &#128182; \u00df</a>", BOTH)
case("text-not-normalised", "<a>\u212b \u00c5 A\u030a</a>", BOTH)
case("cdata", "<a><![CDATA[<b>&amp;\r\n\"']]></a>", BOTH)
case("cdata-empty", "<a><![CDATA[]]></a>", BOTH)
case("cdata-between-text", "<a>1<![CDATA[2]]>3<![CDATA[>]]>&#x34;</a>", BOTH)
case("comments", "<!-- 0 --><a>1<!-- 2 -->3<b><!-- 4 --></b></a><!-- 5 -->", BOTH)
case("comment-splits-text", "<a>1<!---->2</a>", BOTH)
case("declaration", '<?xml version="1.0"?>\n<a/>\n', BOTH)
case("declaration-whole", "<?xml version='1.0' encoding='utf-8' standalone='yes' ?><a/>", BOTH)
case("byte-order-mark", "\ufeff<a/>", BOTH)
case("empty-elements", "<a><b/><c></c><d /><e\n></e\n></a>", BOTH)
case("names", '<\u00e4.-1 \u0416_2="3"><_4/><a\u00b7/></\u00e4.-1>', BOTH)
case("fps-refund", f'<Refund xmlns="{FPS}">\n  <TransactionId>14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD</TransactionId>\n  <RefundAmount><CurrencyCode>USD</CurrencyCode><Value>1</Value></RefundAmount>\n</Refund>', BOTH)

# libxml2 writes the reference in a namespace out as a bare `&`, which is no XML; section 2.3 of Canonical
# XML has a namespace escaped like an attribute, and the JDK does so.
LIBXML2_ERRS = {
    f"namespace-with-references-{form}": '<a xmlns="http://a.example/?x=1&amp;y=2"></a>' for form in BOTH.split()
}


def run(*args, **kwargs):
    done = subprocess.run(args, capture_output=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"{args}: {done.stderr.decode()}")
    return done.stdout


def xmlsec_sign(text, ids):
    """Fills the signature template in a document; answers it and the octets of each reference."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = f"{folder}/in.xml", f"{folder}/out.xml"
        pathlib.Path(path).write_bytes(text.encode())
        id_attrs = [arg for name in ids for arg in ("--id-attr:Id", name)]
        said = run("xmlsec1", "--sign", "--store-references", "--print-debug", "--output", out,
                   "--privkey-pem", str(KEYS / "rsa-2048.pkcs8.pem"), *id_attrs, path)
        octets = re.findall(rb"== PreDigest data - start buffer:\n(.*?)\n== PreDigest data - end buffer",
                            said, re.S)
        return pathlib.Path(out).read_bytes().decode(), octets


def reference(id, form, prefixes):
    inner = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>' if prefixes else ""
    return (f'<ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{INC if form == "inclusive" else EXC}">'
            f'{inner}</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="{DS}sha1"/>'
            f'<ds:DigestValue/></ds:Reference>')


def signature(references, key_info="", list=""):
    inner = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{list}"/>' if list else ""
    return (f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC}">{inner}'
            f'</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{DS}rsa-sha1"/>{references}'
            f'</ds:SignedInfo><ds:SignatureValue/>{key_info}</ds:Signature>')


def expected(form, prefixes, id, text):
    root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False))
    if not id:
        kwargs = {"inclusive_ns_prefixes": prefixes.split()} if prefixes else {}
        return etree.tostring(root, method="c14n", exclusive=form == "exclusive", with_comments=False,
                              **kwargs).decode()
    target = root.xpath(f"//*[@wsu:Id='{id}']", namespaces={"wsu": WSU})[0]
    name = etree.QName(target)
    name = f"{name.namespace}:{name.localname}" if name.namespace else name.localname
    end = text.rindex("</")
    signed = text[:end] + signature(reference(id, form, prefixes)) + text[end:]
    _, octets = xmlsec_sign(signed, [name])
    return octets[0].decode()


def escape(text):
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\ufeff", "\\u{feff}")):
        text = text.replace(plain, escaped)
    return text


def table():
    rows = []
    for name, form, prefixes, id, text in CASES:
        octets = LIBXML2_ERRS.get(name) or expected(form, prefixes, id, text)
        rows.append(f"case {name}\nform {form}\nprefixes {prefixes}\nid {id}\n"
                    f"input {escape(text)}\nexpected {escape(octets)}\n")
    (HERE / "c14n.txt").write_text("\n".join(rows), encoding="utf-8", newline="\n")
    said = run("java", "--add-exports", "java.xml.crypto/com.sun.org.apache.xml.internal.security.c14n=ALL-UNNAMED",
               "--add-exports", "java.xml.crypto/com.sun.org.apache.xml.internal.security=ALL-UNNAMED",
               str(HERE / "Agree.java"), str(HERE / "c14n.txt"))
    print(said.decode().strip())


def certificate():
    return "".join((KEYS / "rsa-2048.certificate.pem").read_text().split("-----")[2].split())


KEY_INFO = f'<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference URI="#TOKEN" ValueType="{X509}"/></wsse:SecurityTokenReference></ds:KeyInfo>'
REFUND = """<Refund xmlns="http://fps.amazonaws.com/doc/2008-09-17/">
   <TransactionId>14GK4TNCAQ84NK9VITEHKAS94RAD9ZE2AQD</TransactionId><RefundAmount><CurrencyCode>USD</CurrencyCode><Value>1</Value></RefundAmount>
   <CallerReference>CallerReference03</CallerReference>
  </Refund>"""
TIMES = "<wsu:Created>2009-10-06T05:51:49Z</wsu:Created><wsu:Expires>2009-10-06T06:01:49Z</wsu:Expires>"


def plain():
    """As the documents of the time draw it: prefixes declared where they are used."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}">
 <SOAP-ENV:Header>
  <wsa:MessageID xmlns:wsa="{WSA}">MESSAGE123</wsa:MessageID>
  <wsse:Security xmlns:wsse="{WSSE}">
   <wsse:BinarySecurityToken {U} wsu:Id="token" EncodingType="{B64}" ValueType="{X509}">{certificate()}</wsse:BinarySecurityToken>
   <wsu:Timestamp {U} wsu:Id="ts">{TIMES}</wsu:Timestamp>
   {signature(reference("body", "exclusive", "") + reference("ts", "exclusive", ""), KEY_INFO.replace("TOKEN", "token"))}
  </wsse:Security>
 </SOAP-ENV:Header>
 <SOAP-ENV:Body wsu:Id="body" {U}>
  {REFUND}
 </SOAP-ENV:Body>
</SOAP-ENV:Envelope>
"""


def prefix_lists():
    """As a toolkit writes it: all prefixes at the top, lists of them at every transform."""
    return f"""<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {U} xmlns="{FPS}"><soapenv:Header><wsse:Security xmlns:wsse="{WSSE}" soapenv:mustUnderstand="1"><wsse:BinarySecurityToken EncodingType="{B64}" ValueType="{X509}" wsu:Id="X509-1">{certificate()}</wsse:BinarySecurityToken>{signature(reference("id-2", "exclusive", "xsd xsi #default") + reference("TS-1", "exclusive", "wsse soapenv"), KEY_INFO.replace("TOKEN", "X509-1"), "soapenv xsd xsi")}<wsu:Timestamp wsu:Id="TS-1">{TIMES}</wsu:Timestamp></wsse:Security></soapenv:Header><soapenv:Body wsu:Id="id-2"><Refund xsi:type="xsd:string"><CallerReference>1</CallerReference></Refund></soapenv:Body></soapenv:Envelope>"""


def headers():
    """Addressing headers and the token are signed too, and the Body holds what must be escaped."""
    signed = "".join(reference(id, "exclusive", "") for id in ("b", "t", "k", "h1", "h2", "h3"))
    return f"""<e:Envelope xmlns:e="{SOAP}" xmlns:a="{WSA}" xmlns:u="{WSU}"><e:Header><a:Action u:Id="h1">urn:Refund</a:Action><a:To u:Id="h2">https://fps.amazonaws.com</a:To><a:MessageID u:Id="h3"> MESSAGE123 </a:MessageID><a:ReplyTo>unsigned</a:ReplyTo><s:Security xmlns:s="{WSSE}"><s:BinarySecurityToken ValueType="{X509}" u:Id="k">{certificate()}</s:BinarySecurityToken><u:Timestamp u:Id="t"><u:Created>2009-10-06T05:51:49.578Z</u:Created></u:Timestamp>{signature(signed, KEY_INFO.replace("TOKEN", "k"))}</s:Security></e:Header><e:Body u:Id="b"><Refund xmlns="{FPS}" z='"' a="&#x9;&#10; >"><CallerDescription><![CDATA[a < b & c]]> &#x1F4B6; &amp;amp; &#13; \u20ac</CallerDescription><None xmlns=""/></Refund></e:Body></e:Envelope>"""


def inclusive():
    """The older canonicalisation, which the documents allow as a transform."""
    return f"""<soap:Envelope xmlns:soap="{SOAP}" xmlns:unused="urn:unused" xml:lang="en" {U}><soap:Header><wsse:Security xmlns:wsse="{WSSE}"><wsse:BinarySecurityToken EncodingType="{B64}" ValueType="{X509}" wsu:Id="token">{certificate()}</wsse:BinarySecurityToken><wsu:Timestamp wsu:Id="ts">{TIMES}</wsu:Timestamp>{signature(reference("body", "inclusive", "") + reference("ts", "inclusive", ""), KEY_INFO.replace("TOKEN", "token"))}</wsse:Security></soap:Header><soap:Body wsu:Id="body">{REFUND}</soap:Body></soap:Envelope>"""


IDS = [f"{SOAP}:Body", f"{WSU}:Timestamp", f"{WSSE}:BinarySecurityToken", f"{WSA}:Action", f"{WSA}:To", f"{WSA}:MessageID"]


def envelopes():
    version = run("xmlsec1", "--version").decode().strip()
    for make in (plain, prefix_lists, headers, inclusive):
        name = make.__name__.replace("_", "-")
        ids = [f"{'{'}{id.rpartition(':')[0]}{'}'}{id.rpartition(':')[2]}" for id in IDS]
        text = make()
        present = {element.tag for element in etree.fromstring(text.encode()).iter()}
        signed, octets = xmlsec_sign(text, [id for id, tag in zip(IDS, ids) if tag in present])
        write(f"xmlsec1-{name}", signed, octets[0].decode(), f"Signed by {version} with generate.py. {make.__doc__}\n")
    for form, list in (("exclusive", ""), ("exclusive", "soap xsi"), ("inclusive", "")):
        name = "java-" + ("prefix-lists" if list else form)
        with tempfile.TemporaryDirectory() as folder:
            run("java", "-Dorg.jcp.xml.dsig.secureValidation=false", str(HERE / "Sign.java"), form, list,
                str(KEYS / "rsa-2048.pkcs8.pem"), str(KEYS / "rsa-2048.certificate.pem"), folder)
            signed, body = (pathlib.Path(folder, file).read_bytes().decode() for file in ("envelope.xml", "body.xml"))
        version = subprocess.run(["java", "-version"], capture_output=True).stderr.decode().splitlines()[0]
        write(name, signed, body, f"Signed by javax.xml.crypto of {version} with Sign.java, run by generate.py.\n")


def write(name, envelope, body, origin):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    for file, text in (("envelope.xml", envelope), ("body.xml", body), ("origin.txt", origin)):
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


table()
envelopes()
