//! A small CloudWatch Logs Insights. It knows as much of the query language as the runbooks use to find what went
//! wrong.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The queries of a runbook page, in the order of the page.
pub fn queries_of(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/runbooks/{page}.md"));
    let text = fs::read_to_string(path).expect("the page");
    let fenced = text.split("```text\n").skip(1);
    fenced
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// What a query finds in these log lines. `stats` counts rows by the fields after `by`.
pub fn run(query: &str, log: &str) -> Vec<Value> {
    let mut rows: Vec<Value> = log.lines().map(row).collect();
    for command in split_outside_quotes(query, '|') {
        let (name, rest) = command.trim().split_once(' ').expect("a command");
        match name {
            "filter" => {
                let tokens = tokens(rest);
                rows.retain(|row| {
                    let mut condition = Condition { tokens: &tokens, row };
                    let holds = condition.any();
                    assert!(condition.tokens.is_empty(), "{:?}", condition.tokens);
                    holds
                });
            }
            "fields" => rows = rows.iter().map(|row| only(row, &names(rest))).collect(),
            "stats" => rows = counted(&rows, rest),
            "sort" | "limit" => {} // changes what is looked at first, not what is found
            other => panic!("no command of the runbooks: {other}"),
        }
    }
    rows
}

/// A line as Logs Insights sees it: its fields, and the line itself.
fn row(line: &str) -> Value {
    let mut row = serde_json::from_str(line)
        .ok()
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    row["@message"] = line.into();
    row
}

fn names(list: &str) -> Vec<String> {
    split_outside_quotes(list, ',')
        .iter()
        .map(|name| name.trim().to_owned())
        .collect()
}

fn only(row: &Value, names: &[String]) -> Value {
    let there = names
        .iter()
        .filter_map(|name| Some((name.clone(), field(row, name)?.clone())));
    Value::Object(there.collect())
}

fn counted(rows: &[Value], stats: &str) -> Vec<Value> {
    let (_, by) = stats.split_once(" by ").expect("what it counts by");
    let by: Vec<_> = names(by).into_iter().filter(|name| !name.starts_with("bin(")).collect();
    let mut groups: Vec<(Value, u64)> = Vec::new();
    for group in rows.iter().map(|row| only(row, &by)) {
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, count)) => *count += 1,
            None => groups.push((group, 1)),
        }
    }
    let with_count = |(mut group, count): (Value, u64)| {
        group["count"] = count.into();
        group
    };
    groups.into_iter().map(with_count).collect()
}

/// A name such as `steps.0.failure` is a member of an array's element.
fn field<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    row.get(name)
        .or_else(|| row.pointer(&format!("/{}", name.replace('.', "/"))))
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut quote) = (vec![String::new()], None);
    for character in text.chars() {
        match quote {
            Some(open) if open == character => quote = None,
            None if character == '"' || character == '/' => quote = Some(character),
            _ => {}
        }
        if quote.is_none() && character == separator {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("one").push(character);
        }
    }
    parts
}

/// Words, texts in quotes, patterns between slashes, and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '/' => rest[1..].find(first).expect("its end") + 2,
            '(' | ')' | '[' | ']' | ',' => 1,
            '=' | '!' | '<' | '>' => rest.find(|it| !"=!<>".contains(it)).unwrap_or(rest.len()),
            _ => rest
                .find(|it: char| it.is_whitespace() || "()[],=!<>".contains(it))
                .unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

/// A condition on one line. It is judged while it is read.
struct Condition<'a> {
    tokens: &'a [String],
    row: &'a Value,
}

impl Condition<'_> {
    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.takes("or") {
            holds |= self.all();
        }
        holds
    }

    fn all(&mut self) -> bool {
        let mut holds = self.one();
        while self.takes("and") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.takes("not") {
            return !self.one();
        }
        if self.takes("(") {
            let holds = self.any();
            assert!(self.takes(")"), "{:?}", self.tokens);
            return holds;
        }
        if self.takes("ispresent") {
            assert!(self.takes("("));
            let name = self.next();
            assert!(self.takes(")"));
            return field(self.row, &name).is_some_and(|value| !value.is_null());
        }
        let name = self.next();
        let value = field(self.row, &name).cloned().unwrap_or_default();
        match self.next().as_str() {
            "=" => value == self.operand(),
            "!=" => value != self.operand(),
            ">" => number(&value) > number(&self.operand()),
            ">=" => number(&value) >= number(&self.operand()),
            "in" => {
                let mut holds = false;
                assert!(self.takes("["));
                while !self.takes("]") {
                    holds |= value == self.operand();
                    self.takes(",");
                }
                holds
            }
            "like" => {
                let pattern = self.next();
                let text = value.as_str().unwrap_or_default();
                // The patterns of the runbooks are one or several words.
                pattern.trim_matches('/').split('|').any(|word| text.contains(word))
            }
            other => panic!("no operator of the runbooks: {other}"),
        }
    }

    fn operand(&mut self) -> Value {
        let token = self.next();
        match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) => text.into(),
            None => match token.parse::<u64>() {
                Ok(number) => number.into(),
                Err(_) => field(self.row, &token).cloned().unwrap_or_default(),
            },
        }
    }

    fn next(&mut self) -> String {
        let (first, rest) = self.tokens.split_first().expect("more of the condition");
        self.tokens = rest;
        first.clone()
    }

    fn takes(&mut self, token: &str) -> bool {
        let is_next = self.tokens.first().is_some_and(|first| first == token);
        if is_next {
            self.next();
        }
        is_next
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64()
}

#[test]
fn a_query_finds_what_it_says() {
    let log = r#"{"a":"x","n":2,"s":[{"f":"y"}]}
{"a":"z","n":500}
Task timed out"#;
    let found = |query: &str| run(query, log).len();
    for (query, count) in [
        (r#"filter a = "x""#, 1),
        (r#"filter a != "x" and n >= 500"#, 1),
        (r#"filter a in ["x", "z"]"#, 2),
        (r#"filter a = "x" and n > 2 or s.0.f = "y""#, 1),
        (r#"filter a = "x" and (n > 2 or s.0.f = "q")"#, 0),
        ("filter ispresent(a) and not ispresent(s.0.f)", 1),
        ("filter @message like /Runtime exited|timed out/", 1),
        (r#"filter ispresent(a) | stats count(*) as lines by a, bin(5m)"#, 2),
    ] {
        assert_eq!(found(query), count, "{query}");
    }
    assert_eq!(
        run(r#"filter a = "x" | fields @timestamp, n"#, log),
        [json!({ "n": 2 })]
    );
}
