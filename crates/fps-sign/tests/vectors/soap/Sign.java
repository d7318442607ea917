// Signs one envelope by javax.xml.crypto; run by generate.py.

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignatureMethod;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.ExcC14NParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

public class Sign {
    static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
    static final String OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
    static final String WSSE = OASIS + "wssecurity-secext-1.0.xsd";
    static final String WSU = OASIS + "wssecurity-utility-1.0.xsd";
    static final String X509 = OASIS + "x509-token-profile-1.0#X509v3";

    static byte[] der(String path) throws Exception {
        return Base64.getMimeDecoder().decode(Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----", ""));
    }

    public static void main(String[] args) throws Exception {
        boolean inclusive = args[0].equals("inclusive");
        String list = args[1];
        PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der(args[2])));
        String token = Base64.getMimeEncoder(76, "\n".getBytes()).encodeToString(der(args[3]));
        String xml = "<soap:Envelope xmlns:soap='" + SOAP + "' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
            + "<soap:Header><wsa:Action xmlns:wsa='http://www.w3.org/2005/08/addressing' xmlns:wsu='" + WSU
            + "' wsu:Id='action'>urn:Refund</wsa:Action><wsse:Security xmlns:wsse='" + WSSE + "' xmlns:wsu='" + WSU
            + "' soap:mustUnderstand='1'><wsse:BinarySecurityToken EncodingType='" + OASIS
            + "soap-message-security-1.0#Base64Binary' ValueType='" + X509 + "' wsu:Id='X509-A1'>" + token
            + "</wsse:BinarySecurityToken><wsu:Timestamp wsu:Id='TS-1'><wsu:Created>2009-10-06T05:51:49.578Z"
            + "</wsu:Created><wsu:Expires>2009-10-06T05:56:49.578Z</wsu:Expires></wsu:Timestamp></wsse:Security>"
            + "</soap:Header><soap:Body xmlns:wsu='" + WSU + "' wsu:Id='id-1'><fps:Refund xmlns:fps="
            + "'http://fps.amazonaws.com/doc/2008-09-17/'><fps:CallerDescription note='&#10;&quot;&lt;'>B&#252;cher "
            + "&amp; &#x1F4B6;</fps:CallerDescription><fps:RefundAmount><fps:CurrencyCode>USD</fps:CurrencyCode>"
            + "<fps:Value>1.00</fps:Value></fps:RefundAmount></fps:Refund></soap:Body></soap:Envelope>";
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        Document document = builders.newDocumentBuilder().parse(new ByteArrayInputStream(xml.getBytes("UTF-8")));
        Element security = (Element) document.getElementsByTagNameNS(WSSE, "Security").item(0);

        XMLSignatureFactory signatures = XMLSignatureFactory.getInstance("DOM");
        ExcC14NParameterSpec prefixes = list.isEmpty() ? null : new ExcC14NParameterSpec(List.of(list.split(" ")));
        List<Reference> references = new ArrayList<>();
        for (String id : List.of("id-1", "TS-1", "X509-A1", "action")) {
            Transform transform = inclusive
                ? signatures.newTransform(CanonicalizationMethod.INCLUSIVE, (TransformParameterSpec) null)
                : signatures.newTransform(CanonicalizationMethod.EXCLUSIVE, prefixes);
            references.add(signatures.newReference("#" + id,
                signatures.newDigestMethod(DigestMethod.SHA1, null), List.of(transform), null, null));
        }
        SignedInfo info = signatures.newSignedInfo(
            signatures.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) prefixes),
            signatures.newSignatureMethod(SignatureMethod.RSA_SHA1, null), references);
        Element tokenReference = document.createElementNS(WSSE, "wsse:SecurityTokenReference");
        Element inner = document.createElementNS(WSSE, "wsse:Reference");
        inner.setAttribute("URI", "#X509-A1");
        inner.setAttribute("ValueType", X509);
        tokenReference.appendChild(inner);
        DOMSignContext context = new DOMSignContext(key, security);
        context.setDefaultNamespacePrefix("ds");
        context.setProperty("javax.xml.crypto.dsig.cacheReference", true);
        for (String name : List.of("Body", "Timestamp", "BinarySecurityToken", "Action")) {
            Element element = (Element) document.getElementsByTagNameNS("*", name).item(0);
            context.setIdAttributeNS(element, WSU, "Id");
        }
        XMLSignature signature = signatures.newXMLSignature(info, signatures.getKeyInfoFactory()
            .newKeyInfo(List.of(new DOMStructure(tokenReference))));
        signature.sign(context);

        try (InputStream octets = references.get(0).getDigestInputStream()) {
            Files.write(Path.of(args[4], "body.xml"), octets.readAllBytes());
        }
        Transformer transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        transformer.transform(new DOMSource(document), new StreamResult(Path.of(args[4], "envelope.xml").toFile()));
    }
}
