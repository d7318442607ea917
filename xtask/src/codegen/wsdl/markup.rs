//! Writes indented XML, one element a line; knows no vocabulary.

/// A document that grows.
pub(super) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

impl Markup {
    pub(super) fn new() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    /// The text, when every element is closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("<!-- {text} -->"));
    }

    /// Begins an element that holds others.
    pub(super) fn open(&mut self, tag: &'static str, attributes: &[(&str, &str)]) {
        self.line(&format!("<{tag}{}>", written(attributes)));
        self.open.push(tag);
    }

    /// Ends the element begun last.
    pub(super) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.line(&format!("</{tag}>"));
        }
    }

    pub(super) fn empty(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.line(&format!("<{tag}{}/>", written(attributes)));
    }

    pub(super) fn text(&mut self, tag: &str, text: &str) {
        self.line(&format!("<{tag}>{}</{tag}>", escaped(text)));
    }

    fn line(&mut self, text: &str) {
        self.out += &"  ".repeat(self.open.len());
        self.out += text;
        self.out.push('\n');
    }
}

fn written(attributes: &[(&str, &str)]) -> String {
    let pairs = attributes.iter();
    pairs.map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::Markup;

    #[test]
    fn elements_are_indented_and_texts_escaped() {
        let mut xml = Markup::new();
        xml.open("a", &[("b", "\"<")]);
        xml.text("c", "1 > 0 & 0 < 1");
        xml.empty("d", &[]);
        let body = "<a b=\"&quot;&lt;\">\n  <c>1 &gt; 0 &amp; 0 &lt; 1</c>\n  <d/>\n</a>\n";
        assert_eq!(xml.finish(), format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"));
    }
}
