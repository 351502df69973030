//! `-o custom-columns=NAME:.metadata.name,…`.

use super::call::Call;
use super::failure::{Failure, plain};
use super::go_text::scalar_text;
use super::jsonpath::JsonPath;
use super::tabwriter::align;
use crate::api::Value;

/// The columns that were asked for.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<(String, JsonPath)>,
    no_headers: bool,
}

impl Columns {
    /// `NAME:.metadata.name,AGE:.metadata.creationTimestamp`.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn of_words(spec: &str, no_headers: bool) -> Result<Self, Failure> {
        if spec.is_empty() {
            return plain("custom-columns format specified but no custom columns given");
        }
        let column = |part: &str| {
            let Some((header, path)) = part.split_once(':') else {
                return plain(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ));
            };
            Ok((header.to_owned(), path_of(path)?))
        };
        let columns = spec.split(',').map(column).collect::<Result<_, _>>()?;
        Ok(Columns { columns, no_headers })
    }

    /// A file with a line of headers and a line of paths.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn of_file(call: &Call<'_>, name: &str) -> Result<Self, Failure> {
        if name.is_empty() {
            return plain("custom-columns format specified but no custom columns given");
        }
        let text = call
            .file(name)
            .map_err(|why| Failure::Plain(format!("error reading template {name}, {why}\n")))?;
        let mut lines = text.lines();
        let mut line = |what: &str| {
            let words = lines.next().map(|line| line.split_whitespace().collect::<Vec<_>>());
            words.ok_or_else(|| Failure::Plain(format!("invalid template, missing {what} line. Expected format is one line of space separated headers, one line of space separated column specs.")))
        };
        let (headers, paths) = (line("header")?, line("spec")?);
        if headers.len() != paths.len() {
            return plain(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            ));
        }
        let column = |(header, path): (&str, &str)| Ok((header.to_owned(), path_of(path)?));
        let columns = headers.into_iter().zip(paths).map(column).collect::<Result<_, Failure>>()?;
        Ok(Columns { columns, no_headers: false })
    }

    /// The table of some objects.
    ///
    /// # Errors
    /// A path that does not fit.
    pub(crate) fn print(&self, objects: &[Value]) -> Result<String, String> {
        let mut text = String::new();
        if !self.no_headers {
            let headers: Vec<&str> =
                self.columns.iter().map(|(header, _)| header.as_str()).collect();
            text.push_str(&headers.join("\t"));
            text.push('\n');
        }
        for object in objects {
            let mut cells = Vec::new();
            for (_, path) in &self.columns {
                let found = path.find(object, true)?;
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
}

fn path_of(text: &str) -> Result<JsonPath, Failure> {
    JsonPath::parse(&relaxed(text)?).map_err(Failure::Plain)
}

/// `x.y`, `.x.y` and `{.x.y}` are all `{.x.y}`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go RelaxedJSONPathExpression.
pub(crate) fn relaxed(path: &str) -> Result<String, Failure> {
    if path.is_empty() {
        return Ok(String::new());
    }
    let inner = path.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(path);
    let name = inner.strip_prefix('.').filter(|name| !name.is_empty()).unwrap_or(inner);
    if name.is_empty() || name.contains(['{', '}']) {
        return plain(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        );
    }
    Ok(format!("{{.{name}}}"))
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
        let spec = "NAME:.metadata.name,I:.c[*].image,N:{.n}";
        let text = Columns::of_words(spec, false).unwrap().print(&objects).unwrap();
        let wanted =
            "NAME        I        N\na           x,y      map[k:1]\nlong-name   <none>   <none>\n";
        assert_eq!(text, wanted);
    }
}
