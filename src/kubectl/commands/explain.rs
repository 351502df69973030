//! `kubectl explain`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/explain/v2 and its plaintext template.

use crate::api::Kind;
use crate::kubectl::call::Call;
use crate::kubectl::commands::mapped;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use crate::manifest::descriptions::{self, Description, Descriptions};
use crate::manifest::schema::{self, Definition, Field, Type};

/// Deeper fields are not listed by `--recursive`: no type of the API nests so far.
const DEEPEST: usize = 24;

/// Says what a kind or a field is.
pub(crate) fn explain(call: &mut Call<'_>) -> Outcome {
    let [path] = call.args.as_slice() else {
        return plain(match call.args.is_empty() {
            true => {
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.\n"
            }
            false => "We accept only this format: explain RESOURCE\n",
        });
    };
    if !["", "plaintext", "plaintext-openapiv2"].contains(&call.flags.text("output")) {
        return plain(format!("unrecognized format: {}", call.flags.text("output")));
    }
    let (kind, path) = resource_and_path(path)?;
    let wanted = call.flags.text("api-version").to_owned();
    if !wanted.is_empty() && wanted != kind.api_version() {
        let resource = kind.plural();
        return plain(format!("couldn't find resource for \"{wanted}, Resource={resource}\""));
    }
    let Some(table) = descriptions::table() else {
        return plain("the descriptions are still on their way: try again in a moment");
    };
    let explanation = Explanation { table, recursive: call.flags.on("recursive") };
    explanation.of(kind, &path, &mut call.out)
}

/// A kind, by its resource or by resource and group, and the fields that follow.
///
/// Models staging/src/k8s.io/kubectl/pkg/explain/explain.go
/// SplitAndParseResourceRequestWithMatchingPrefix.
fn resource_and_path(text: &str) -> Result<(Kind, Vec<String>), Failure> {
    let words: Vec<String> =
        text.split('.').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if let [resource, group, rest @ ..] = words.as_slice()
        && let Ok(kind) = resources::kind_of(&format!("{resource}.{group}"))
    {
        return Ok((kind, rest.to_vec()));
    }
    let kind = mapped(words.first().map_or("", String::as_str))?;
    Ok((kind, words.get(1..).unwrap_or_default().to_vec()))
}

struct Explanation {
    table: &'static Descriptions,
    recursive: bool,
}

impl Explanation {
    fn of(&self, kind: Kind, path: &[String], out: &mut String) -> Outcome {
        let resource = kind.resource();
        if !resource.group.is_empty() {
            out.push_str(&format!("GROUP:      {}\n", resource.group));
        }
        out.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", kind.name(), resource.version));
        let Some(name) = schema::name_of(kind) else {
            return plain(format!("the fields of {} are not in this model", kind.name()));
        };
        let mut own = String::new();
        let mut here = Type::Named(name);
        for (index, name) in path.iter().enumerate() {
            let missing = || Failure::Plain(format!("field \"{name}\" does not exist"));
            let Type::Named(type_name) = *inner(&here) else { return Err(missing()) };
            let field = schema::struct_fields(type_name).and_then(|all| all.get(name.as_str()));
            let Some(field) = field else { return Err(missing()) };
            here = field.field_type.clone();
            own = self.field_text(type_name, name, field);
            if index + 1 == path.len() {
                let guess = type_guess(name, &here);
                out.push_str(&format!("FIELD: {name} <{guess}>\n{}\n\n", self.long_enum(&here)));
            }
        }
        let mut text = if own.is_empty() { String::new() } else { own + "\n" };
        text.push_str(&self.type_text(&here));
        if text.is_empty() {
            text.push_str("<empty>");
        }
        out.push_str(&format!("DESCRIPTION:\n{}\n", indent(4, &wrap(76, &text))));
        let mut fields = String::new();
        self.list(&here, 1, &mut fields);
        if !fields.is_empty() {
            out.push_str("FIELDS:\n");
            out.push_str(&fields);
        }
        out.push('\n');
        Ok(())
    }

    fn described(&self, name: &str) -> Option<&'static Description> {
        self.table.of_type(name)
    }

    /// A field's own description, with the values that it may have.
    fn field_text(&self, owner: &str, name: &str, field: &Field) -> String {
        let described = self.described(owner).and_then(|owner| owner.fields.get(name));
        let mut text = described.map(|field| field.text.clone()).unwrap_or_default();
        let values = self.values(field.field_type.target());
        if !values.is_empty() {
            text.push_str("\n\nPossible enum values:");
            for (value, meaning) in values {
                text.push_str(format!("\n - `{value:?}` {meaning}").trim_end());
            }
        }
        text
    }

    /// The description of the structure that a field holds, or holds many of.
    fn type_text(&self, of: &Type) -> String {
        let name = match inner(of) {
            Type::Named(name) => name,
            Type::Quantity => "Quantity",
            Type::IntOrString => "IntOrString",
            Type::Time => "Time",
            Type::MicroTime => "MicroTime",
            _ => return String::new(),
        };
        let text = self.described(name).map(|described| described.text.clone());
        text.filter(|text| !text.is_empty()).map(|text| text + "\n").unwrap_or_default()
    }

    fn values(&self, of: &Type) -> &'static [(String, String)] {
        match of {
            Type::Named(name) => self.table.values(name.rsplit('.').next().unwrap_or(name)),
            _ => &[],
        }
    }

    fn long_enum(&self, of: &Type) -> String {
        let values = self.values(of.target());
        if values.is_empty() {
            return String::new();
        }
        let lines = values.iter().map(|(value, _)| format!("\n    {}", shown(value)));
        format!("ENUM:{}", lines.collect::<String>())
    }

    /// Up to four values.
    fn short_enum(&self, of: &Type, indent: usize) -> String {
        let values = self.values(of.target());
        if values.is_empty() {
            return String::new();
        }
        let first: Vec<&str> = values.iter().take(4).map(|(value, _)| shown(value)).collect();
        let more = if values.len() > 4 { ", ...." } else { "" };
        format!("\n{}enum: {}{more}", " ".repeat(indent), first.join(", "))
    }

    fn list(&self, of: &Type, level: usize, out: &mut String) {
        let Type::Named(owner) = inner(of) else { return };
        let Some(fields) = schema::struct_fields(owner).filter(|_| level < DEEPEST) else { return };
        let described = self.described(owner);
        let indented = level * 2;
        for (name, field) in fields {
            let words = described.and_then(|owner| owner.fields.get(*name));
            let required = words.is_some_and(|words| words.required);
            out.push_str(&format!(
                "{}{name}\t<{}>{}{}\n",
                " ".repeat(indented),
                type_guess(name, &field.field_type),
                if required { " -required-" } else { "" },
                self.short_enum(&field.field_type, indented),
            ));
            if self.recursive {
                self.list(&field.field_type, level + 1, out);
                continue;
            }
            let mut text = self.field_text(owner, name, field);
            if text.is_empty() {
                text.push_str("<no description>");
            }
            out.push_str(&indent(indented + 2, &wrap(78 - indented, &text)));
            out.push_str("\n\n");
        }
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
}

/// What a list or a map holds.
fn inner(of: &Type) -> &Type {
    match of {
        Type::Pointer(of) | Type::List(of) | Type::Map(of) => inner(of),
        other => other,
    }
}

/// The type as the OpenAPI document names it.
fn type_guess(field: &str, of: &Type) -> String {
    match of {
        Type::String | Type::Bytes | Type::Time | Type::MicroTime | Type::Uid => {
            "string".to_owned()
        }
        Type::Bool => "boolean".to_owned(),
        Type::Int32 | Type::Int64 => "integer".to_owned(),
        Type::Float64 => "number".to_owned(),
        Type::Quantity => "Quantity".to_owned(),
        Type::IntOrString => "IntOrString".to_owned(),
        // The schema keeps no names of what may hold anything.
        Type::Any if field == "fieldsV1" => "FieldsV1".to_owned(),
        Type::Any => "RawExtension".to_owned(),
        Type::Schema => "JSONSchemaProps".to_owned(),
        Type::Pointer(of) => type_guess(field, of),
        Type::List(of) => format!("[]{}", type_guess(field, of)),
        Type::Map(of) => format!("map[string]{}", type_guess(field, of)),
        Type::Named(name) => match schema::find(name) {
            Some(Definition::Basic { underlying, .. }) => type_guess(field, underlying),
            _ => name.rsplit('.').next().unwrap_or(name).to_owned(),
        },
    }
}

fn indent(amount: usize, text: &str) -> String {
    let pad = " ".repeat(amount);
    pad.clone() + &text.replace('\n', &format!("\n{pad}"))
}

/// Breaks lines at spaces so that they have at most `limit` characters where words allow it.
///
/// Models github.com/mitchellh/go-wordwrap.
fn wrap(limit: usize, text: &str) -> String {
    let (mut out, mut space, mut word) = (String::new(), String::new(), String::new());
    let (mut column, mut word_width) = (0, 0);
    for letter in text.chars() {
        if letter == '\n' {
            out.push_str(&core::mem::take(&mut space));
            out.push_str(&core::mem::take(&mut word));
            out.push('\n');
            (column, word_width) = (0, 0);
        } else if letter.is_whitespace() && letter != '\u{a0}' {
            if space.is_empty() || !word.is_empty() {
                column += space.chars().count() + word_width;
                out.push_str(&core::mem::take(&mut space));
                out.push_str(&core::mem::take(&mut word));
                word_width = 0;
            }
            space.push(letter);
        } else {
            word.push(letter);
            word_width += 1;
            if column + space.chars().count() + word_width > limit && word_width < limit {
                out.push('\n');
                column = 0;
                space.clear();
            }
        }
    }
    out + &space + &word
}

#[cfg(test)]
mod tests {
    use crate::kubectl::{Session, begin};
    use crate::world::{ClusterConfig, World};

    fn said(line: &str) -> String {
        let mut world = World::new(ClusterConfig::default(), 1);
        let words: Vec<String> = line.split(' ').skip(1).map(str::to_owned).collect();
        let (output, _) = begin(&mut world, &mut Session::default(), &words, None);
        output.stdout + &output.stderr
    }

    #[test]
    fn a_field_says_what_it_is_and_what_it_may_be() {
        let text = said("kubectl explain pod.spec.containers.imagePullPolicy");
        for line in [
            "KIND:       Pod\nVERSION:    v1\n\nFIELD: imagePullPolicy <string>\nENUM:\n    Always\n",
            "\n    Never\n\nDESCRIPTION:\n    Image pull policy. One of Always",
            "    Possible enum values:\n     - `\"Always\"` means that kubelet",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn a_structure_lists_its_fields() {
        let text = said("kubectl explain deploy.spec");
        for line in [
            "GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n\nFIELD: spec <DeploymentSpec>\n",
            "\n  selector\t<LabelSelector> -required-\n    Label selector for pods.",
            "\n  strategy\t<DeploymentStrategy>\n",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
        let text = said("kubectl explain pod --recursive");
        for line in [
            "\n  spec\t<PodSpec>\n",
            "\n    containers\t<[]Container> -required-\n",
            "\n      resources\t<ResourceRequirements>\n",
            "\n        limits\t<map[string]Quantity>\n",
            "\n      imagePullPolicy\t<string>\n      enum: Always, IfNotPresent, Never\n",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
    }

    #[test]
    fn a_wrong_field_is_an_error() {
        let text = said("kubectl explain pod.spec.container");
        let head = "KIND:       Pod\nVERSION:    v1\n\n";
        assert_eq!(text, format!("{head}error: field \"container\" does not exist\n"));
        let text = said("kubectl explain nosuch");
        assert_eq!(text, "the server doesn't have a resource type \"nosuch\"\n");
        let text = said("kubectl explain deploy --api-version=apps/v1beta1");
        let why = "error: couldn't find resource for \"apps/v1beta1, Resource=deployments\"\n";
        assert_eq!(text, why);
    }

    /// Models the OpenAPI document, where neither metadata nor the names of references are required.
    #[test]
    fn what_need_not_be_there_is_not_marked() {
        assert!(said("kubectl explain deployments.apps").contains("\n  metadata\t<ObjectMeta>\n"));
        let text = said("kubectl explain pod.spec.volumes.configMap");
        assert!(text.contains("\n  name\t<string>\n"), "{text}");
    }
}
