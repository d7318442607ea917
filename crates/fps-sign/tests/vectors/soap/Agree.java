// Canonicalises every input of c14n.txt by the JDK's own code and compares; run by generate.py.

import com.sun.org.apache.xml.internal.security.c14n.Canonicalizer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

public class Agree {
    static final String WSU =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

    static String unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '\\') {
                out.append(text.charAt(i));
                continue;
            }
            switch (text.charAt(++i)) {
                case 'n': out.append('\n'); break;
                case 'r': out.append('\r'); break;
                case 't': out.append('\t'); break;
                case '\\': out.append('\\'); break;
                default: out.append('\ufeff'); i = text.indexOf('}', i);
            }
        }
        return out.toString();
    }

    static Element find(Element element, String id) {
        if (element.getAttributeNS(WSU, "Id").equals(id)) return element;
        for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element) {
                Element found = find((Element) node, id);
                if (found != null) return found;
            }
        }
        return null;
    }

    public static void main(String[] args) throws Exception {
        com.sun.org.apache.xml.internal.security.Init.init();
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setCoalescing(true);
        int agreed = 0;
        for (String block : Files.readString(Path.of(args[0])).split("\n\n")) {
            HashMap<String, String> row = new HashMap<>();
            for (String line : block.split("\n")) {
                int at = line.indexOf(' ');
                row.put(line.substring(0, at), line.substring(at + 1));
            }
            byte[] input = unescape(row.get("input")).getBytes("UTF-8");
            Document document =
                factory.newDocumentBuilder().parse(new ByteArrayInputStream(input));
            Element apex = document.getDocumentElement();
            if (!row.get("id").isEmpty()) apex = find(apex, row.get("id"));
            boolean exclusive = row.get("form").equals("exclusive");
            Canonicalizer c14n = Canonicalizer.getInstance(exclusive
                ? "http://www.w3.org/2001/10/xml-exc-c14n#"
                : "http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            if (exclusive && !row.get("prefixes").isEmpty()) {
                c14n.canonicalizeSubtree(apex, row.get("prefixes"), out);
            } else {
                c14n.canonicalizeSubtree(apex, out);
            }
            String said = out.toString("UTF-8");
            if (said.equals(unescape(row.get("expected")))) {
                agreed++;
            } else {
                System.out.println("disagrees: " + row.get("case") + "\n  " + said + "\n  " + row.get("expected"));
            }
        }
        System.out.println(System.getProperty("java.vendor") + " " + System.getProperty("java.version")
            + " agrees in " + agreed + " cases");
    }
}
