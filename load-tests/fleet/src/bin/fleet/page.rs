//! A report as one HTML file that needs no other: text, tables and charts.

use std::fmt::Write as _;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem}pre{background:#f5f5f5;padding:1rem;\
overflow-x:auto;font-size:12.5px}table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.25rem .6rem;\
text-align:left}td:not(:first-child){font-variant-numeric:tabular-nums}figure{margin:1.5rem 0}\
figure svg{max-width:100%;height:auto}figcaption{color:#444}.bad{color:#b00020;font-weight:600}";

/// A page that is being written.
#[derive(Debug)]
pub(crate) struct Page {
    title: String,
    body: String,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(title: &str) -> Page {
        Page { title: escaped(title), body: String::new() }
    }

    /// Begins a part.
    pub(crate) fn heading(&mut self, text: &str) {
        self.put(format_args!("<h2>{}</h2>\n", escaped(text)));
    }

    /// A sentence or more.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.put(format_args!("<p>{}</p>\n", escaped(text)));
    }

    /// Text whose lines and spaces stay as they are.
    pub(crate) fn preformatted(&mut self, text: &str) {
        self.put(format_args!("<pre>{}</pre>\n", escaped(text)));
    }

    /// A table. A row whose last cell begins with `NOT` is marked.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.body.push_str("<table><tr>");
        for cell in head {
            self.put(format_args!("<th>{}</th>", escaped(cell)));
        }
        self.body.push_str("</tr>\n");
        for row in rows {
            let is_bad = row.last().is_some_and(|cell| cell.starts_with("NOT"));
            self.body.push_str(if is_bad { "<tr class=\"bad\">" } else { "<tr>" });
            for cell in row {
                self.put(format_args!("<td>{}</td>", escaped(cell)));
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</table>\n");
    }

    /// A chart, as SVG, with what it shows.
    pub(crate) fn figure(&mut self, caption: &str, svg: &str) {
        self.put(format_args!(
            "<figure>{svg}<figcaption>{}</figcaption></figure>\n",
            escaped(caption)
        ));
    }

    /// The whole page.
    pub(crate) fn html(&self) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\
             <style>{STYLE}</style></head>\n<body>\n<h1>{0}</h1>\n{1}</body></html>\n",
            self.title, self.body
        )
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(text);
    }
}

/// Text that is no markup, whatever it says.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stands_alone_and_no_text_becomes_markup() {
        let mut page = Page::new("alarms <b>");
        page.heading("a & b");
        page.preformatted("x < y");
        page.table(&["what", "held"], &[vec!["<script>".into(), "NOT HELD".into()]]);
        page.figure("latency", "<svg></svg>");
        let html = page.html();
        for part in ["<title>alarms &lt;b&gt;</title>", "a &amp; b", "x &lt; y", "&lt;script&gt;"] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(html.contains("class=\"bad\"") && html.contains("<figure><svg></svg>"));
        for outside in ["http://", "https://", "src=", "<script", "@import", "<link"] {
            assert!(!html.contains(outside), "{outside}: {html}");
        }
    }
}
