//! Go templates, `-o go-template`.
//!
//! Models Go's text/template as staging/src/k8s.io/cli-runtime/pkg/printers/template.go uses it.
//!
//! Reading order: `lex.rs`, `parse.rs`, `exec.rs`, `funcs.rs`.

mod exec;
mod funcs;
mod lex;
mod parse;

use crate::api::Value;

/// A template that has been read.
#[derive(Clone, Debug)]
pub(crate) struct GoTemplate {
    text: String,
    nodes: Vec<parse::Node>,
}

impl GoTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// Go's sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(GoTemplate { text: text.to_owned(), nodes: parse::parse(text)? })
    }

    /// Fills it in: what is printed, and what went wrong then.
    pub(crate) fn run(&self, data: &Value, missing_is_fine: bool) -> (String, Result<(), String>) {
        exec::run(&self.text, &self.nodes, data, missing_is_fine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(template: &str) -> String {
        let data = json!({
            "kind": "List", "n": 3, "empty": null, "data": {"k": "1", "p": "c2VjcmV0"},
            "items": [
                {"metadata": {"name": "a", "labels": {"app": "web"}}, "ready": true},
                {"metadata": {"name": "b"}, "ready": false},
            ],
        });
        match GoTemplate::parse(template) {
            Err(why) => format!("! {why}"),
            Ok(template) => match template.run(&data, true) {
                (text, Ok(())) => text,
                (text, Err(why)) => format!("{text}! {why}"),
            },
        }
    }

    #[test]
    fn templates_are_filled_in_as_go_does() {
        let cases = [
            ("{{.kind}}{{\"\\n\"}}", "List\n"),
            ("{{range .items}}{{.metadata.name}} {{end}}", "a b "),
            ("{{len .items}}", "2"),
            ("{{range $i, $e := .items}}{{if $i}},{{end}}{{$e.metadata.name}}{{end}}", "a,b"),
            ("{{.nosuch}} {{.nosuch.x}} {{.empty}}", "<no value> <no value> <no value>"),
            ("{{index .data \"k\"}}{{(index .items 1).metadata.name}}", "1b"),
            ("{{range $k, $v := .data}}{{$k}}={{$v}};{{end}}", "k=1;p=c2VjcmV0;"),
            ("{{.data.p | base64decode}}", "secret"),
            ("{{range .items}}{{if .ready}}{{.metadata.name}}{{else}}-{{end}}{{end}}", "a-"),
            ("{{if eq .kind \"Pod\"}}p{{else if eq .n 3}}three{{else}}x{{end}}", "three"),
            ("{{with .items}}{{len .}}{{end}}{{with .nosuch}}x{{else}}none{{end}}", "2none"),
            ("{{range .nosuch}}x{{else}}empty{{end}}", "empty"),
            (
                "{{printf \"%-5s|%03d|%q|%v\" .kind .n .data.k .data}}",
                "List |003|\"1\"|map[k:1 p:c2VjcmV0]",
            ),
            ("a {{- /* no */ -}} b{{- 1 -}}  c", "ab1c"),
            ("{{$x := 1}}{{range .items}}{{$x = .metadata.name}}{{end}}{{$x}}", "b"),
            (
                "{{range .items}}{{if eq .metadata.name \"b\"}}{{break}}{{end}}{{.metadata.name}}{{end}}",
                "a",
            ),
            ("{{and .n .kind}} {{or .nosuch \"d\"}} {{not .n}}", "List d false"),
            ("{{exists . \"items\" 0 \"metadata\"}}{{exists . \"x\"}}", "truefalse"),
            ("{{range .items}}{{$.kind}}{{end}}", "ListList"),
            (
                "{{.items}}",
                "[map[metadata:map[labels:map[app:web] name:a] ready:true] map[metadata:map[name:b] ready:false]]",
            ),
            ("{{print 1 2 \"x\" 3}}{{slice .kind 1 3}}{{html \"<a>\"}}", "1 2x3is&lt;a&gt;"),
        ];
        for (template, text) in cases {
            assert_eq!(filled(template), text, "{template}");
        }
    }

    /// The first was printed by a real kubectl, the others by Go's text/template.
    #[test]
    fn what_is_wrong_is_said_in_gos_words() {
        let cases = [
            ("{{.metadata.name", "! template: output:1: unclosed action"),
            ("{{foo .x}}", "! template: output:1: function \"foo\" not defined"),
            ("{{range .items}}", "! template: output:1: unexpected EOF"),
            ("{{end}}", "! template: output:1: unexpected {{end}}"),
            ("{{$x}}", "! template: output:1: undefined variable \"$x\""),
            ("{{}}", "! template: output:1: missing value for command"),
            ("{{if}}x{{end}}", "! template: output:1: missing value for if"),
            ("{{.a | \"x\"}}", "! template: output:1: non executable command in pipeline stage 2"),
            ("{{\"x}}", "! template: output:1: unterminated quoted string"),
            (
                "x{{index .items 5}}",
                "x! template: output:1:3: executing \"output\" at <index .items 5>: error calling index: index out of range: 5",
            ),
            (
                "{{.kind.x}}",
                "! template: output:1:7: executing \"output\" at <.kind.x>: can't evaluate field x in type interface {}",
            ),
            (
                "{{range .n | len}}{{end}}",
                "! template: output:1:13: executing \"output\" at <len>: error calling len: len of type int64",
            ),
        ];
        for (template, text) in cases {
            assert_eq!(filled(template), text, "{template}");
        }
    }
}
