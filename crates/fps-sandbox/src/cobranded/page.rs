//! The page as HTML: one document without script, image or style from elsewhere. Whatever a merchant
//! wrote is escaped.

use refund_rules::Method;

use super::pipelines::method_code;

/// What a visitor is asked.
pub(crate) struct Question<'a> {
    pub(crate) title: &'a str,
    /// Names and values of all that is agreed to.
    pub(crate) rows: &'a [(&'static str, String)],
    /// The ways to pay.
    pub(crate) methods: &'a [Method],
    /// Where the form goes.
    pub(crate) action: &'a str,
    /// The merchant's request as it was signed, which the form carries back.
    pub(crate) request: &'a str,
}

/// Asks the visitor.
pub(crate) fn ask(question: &Question<'_>) -> String {
    let row = |(name, value): &(&str, String)| {
        format!("<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value))
    };
    let option = |method: &Method| {
        let code = method_code(*method);
        format!("<option value=\"{code}\">{code}</option>")
    };
    document(&format!(
        "<h1>{}</h1><table>{}</table><form method=\"post\" action=\"{}\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\">\
         <label>Pay with <select name=\"method\">{}</select></label>\
         <button name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"abandon\">Abandon</button></form>",
        escape(question.title),
        question.rows.iter().map(row).collect::<String>(),
        question.action,
        escape(question.request),
        question.methods.iter().map(option).collect::<String>(),
    ))
}

/// Says what is wrong with the merchant's request.
pub(crate) fn wrong(reason: &str) -> String {
    document(&format!("<h1>This cannot be approved</h1><p>{}</p>", escape(reason)))
}

fn document(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>fps sandbox</title>\
         <body><p>A sandbox: no money moves.</p>{body}</body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_merchant_wrote_is_text() {
        assert_eq!(escape("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert!(!wrong("<script>").contains("<script>"));
    }
}
