//! `-o custom-columns=NAME:.metadata.name,…`.

use super::failure::Failure;
use super::go_text::scalar_text;
use super::jsonpath::JsonPath;
use super::tabwriter::align;
use crate::api::Value;

/// Prints a table with the columns of a specification.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go.
///
/// # Errors
/// A specification that cannot be read.
pub(crate) fn print(spec: &str, objects: &[Value], no_headers: bool) -> Result<String, Failure> {
    if spec.is_empty() {
        return super::failure::plain(
            "custom-columns format specified but no custom columns given",
        );
    }
    let mut columns = Vec::new();
    for part in split_columns(spec) {
        let Some((header, path)) = part.split_once(':') else {
            return super::failure::plain(format!(
                "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            ));
        };
        let template = relaxed(path)?;
        let path = JsonPath::parse(&template).map_err(Failure::Plain)?;
        columns.push((header.to_owned(), path));
    }
    let mut text = String::new();
    if !no_headers {
        let headers: Vec<&str> = columns.iter().map(|(header, _)| header.as_str()).collect();
        text.push_str(&headers.join("\t"));
        text.push('\n');
    }
    for object in objects {
        let mut cells = Vec::new();
        for (_, path) in &columns {
            let found = path.find(object, true).map_err(Failure::Plain)?;
            cells.push(match found.as_slice() {
                [] => "<none>".to_owned(),
                many => many.iter().map(scalar_text).collect::<Vec<_>>().join(","),
            });
        }
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    Ok(align(&text, 6, 3))
}

/// Splits at commas that stand in no brackets.
fn split_columns(spec: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for letter in spec.chars() {
        match letter {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth <= 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

/// `x.y`, `.x.y` and `{.x.y}` are all `{.x.y}`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go RelaxedJSONPathExpression.
pub(crate) fn relaxed(path: &str) -> Result<String, Failure> {
    let inner = path.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(path);
    if inner.contains(['{', '}']) {
        return super::failure::plain(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        );
    }
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    Ok(format!("{{.{inner}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn several_values_of_a_column_are_joined_by_commas() {
        let objects = [
            json!({"metadata": {"name": "a"}, "c": [{"image": "x"}, {"image": "y"}], "n": {"k": 1}}),
            json!({"metadata": {"name": "long-name"}}),
        ];
        let text = print("NAME:.metadata.name,I:.c[*].image,N:{.n}", &objects, false).unwrap();
        let wanted =
            "NAME        I        N\na           x,y      map[k:1]\nlong-name   <none>   <none>\n";
        assert_eq!(text, wanted);
    }
}
