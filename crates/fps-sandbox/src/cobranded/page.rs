//! The page as HTML: one document without script, image or style from elsewhere. Whatever a merchant
//! wrote is escaped.

use super::pipelines::{Asked, method_code};

/// Asks the visitor. The form carries the merchant's request as it was signed.
pub(super) fn approve(asked: &Asked, request: &str) -> String {
    let rows: String = asked
        .rows()
        .iter()
        .map(|(name, value)| {
            format!("<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value))
        })
        .collect();
    let methods: String = asked
        .methods()
        .into_iter()
        .map(|method| {
            let code = method_code(method);
            format!("<option value=\"{code}\">{code}</option>")
        })
        .collect();
    document(&format!(
        "<h1>{}</h1><table>{rows}</table><form method=\"post\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\">\
         <label>Pay with <select name=\"method\">{methods}</select></label>\
         <button name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"abandon\">Abandon</button></form>",
        escape(asked.title()),
        escape(request)
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
