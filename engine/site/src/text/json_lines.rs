//! On which line each value of a JSON text stands. The parser does not tell, and a mistake without
//! its line is hard to find in a floor of a thousand features.

use super::{Node, Value};

/// Notes the line of every value of a tree that was read from `text`.
pub(super) fn note_lines(root: &mut Node, text: &str) {
    note(root, &mut ValueLines::new(text));
}

/// Values stand in the text in the order in which the tree is walked, each before its parts.
fn note(node: &mut Node, lines: &mut ValueLines<'_>) {
    node.line = lines.next();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| note(item, lines)),
        Value::Table(entries) => entries.iter_mut().for_each(|(_, value)| note(value, lines)),
        _ => {}
    }
}

/// The lines at which values begin, in order. The text is JSON, which has been seen before.
struct ValueLines<'t> {
    bytes: std::iter::Peekable<std::slice::Iter<'t, u8>>,
    line: u32,
    /// Whether what is open is an object.
    open: Vec<bool>,
    is_key_next: bool,
}

impl<'t> ValueLines<'t> {
    fn new(text: &'t str) -> ValueLines<'t> {
        ValueLines {
            bytes: text.as_bytes().iter().peekable(),
            line: 1,
            open: Vec::new(),
            is_key_next: false,
        }
    }

    fn enter(&mut self, is_object: bool) {
        self.open.push(is_object);
        self.is_key_next = is_object;
    }

    fn skip_text(&mut self) {
        while let Some(byte) = self.bytes.next() {
            match byte {
                b'\\' => drop(self.bytes.next()),
                b'"' => return,
                _ => {}
            }
        }
    }

    fn skip_word(&mut self) {
        let is_end = |byte: &&u8| b",]} \t\r\n".contains(*byte);
        while self.bytes.next_if(|byte| !is_end(byte)).is_some() {}
    }
}

impl Iterator for ValueLines<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            match self.bytes.next()? {
                b'\n' => self.line = self.line.saturating_add(1),
                b' ' | b'\t' | b'\r' => {}
                b':' => self.is_key_next = false,
                b',' => self.is_key_next = self.open.last() == Some(&true),
                b'}' | b']' => drop(self.open.pop()),
                b'"' => {
                    let is_value = !self.is_key_next;
                    self.skip_text();
                    if is_value {
                        return Some(self.line);
                    }
                }
                byte @ (b'{' | b'[') => {
                    self.enter(*byte == b'{');
                    return Some(self.line);
                }
                _ => {
                    self.skip_word();
                    return Some(self.line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut root: Node = serde_json::from_str(text).unwrap();
        note_lines(&mut root, text);
        assert_eq!(tell(&root), expected);
    }

    fn tell(node: &Node) -> String {
        let line = node.line.unwrap();
        match &node.value {
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(tell).collect();
                format!("[{line}: {}]", items.join(" "))
            }
            Value::Table(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key} {}", tell(value))).collect();
                format!("{{{line}: {}}}", entries.join(", "))
            }
            _ => line.to_string(),
        }
    }

    #[test]
    fn every_value_has_the_line_it_begins_on() {
        check("7", "1");
        check("{}", "{1: }");
        check("\n[1,\r\n-2.5e3, \"a\"\n,null,\n\n{}, []]", "[2: 2 3 3 4 {6: } [6: ]]");
        check(
            "{\"a\":\n{\"b\" : \"x\\\"\\\\\",\n\"c\":[true,\n[]]},\n\"a\": false}",
            "{1: a {2: b 2, c [3: 3 [4: ]]}, a 5}",
        );
        check("[\"{\",\n\"]\\\\\",\n\",:\"\n,{\"k\":1}]", "[1: 1 2 3 {4: k 4}]");
    }
}
