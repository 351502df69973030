//! `kubectl explain`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/explain/v2 and its plaintext template.

mod shape;

use crate::api::{Kind, conversion};
use crate::kubectl::call::Call;
use crate::kubectl::commands::mapped;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::manifest::descriptions::{self, Descriptions};
use crate::manifest::schema::{self, Type};
use shape::Shape;

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
    if path.starts_with('.') || path.contains("..") {
        return plain("invalid jsonpath syntax, first node must be field node");
    }
    let (kind, path) = resource_and_path(call, path)?;
    let Some(table) = descriptions::table() else {
        return plain("the descriptions are still on their way: try again in a moment");
    };
    let resource = kind.resource();
    let wanted = match call.flags.text("api-version") {
        "" => kind.api_version(),
        wanted => wanted.to_owned(),
    };
    let (group, version) = wanted.split_once('/').unwrap_or(("", &wanted));
    let store = call.world.store();
    let schema = store.schema_of(kind, &wanted);
    let is_served = kind.is_custom() && group == resource.group && store.serves_in(kind, &wanted);
    let root = if wanted == kind.api_version() || is_served {
        match schema::name_of(kind) {
            Some(name) => Some(Shape::Known(Type::Named(name))),
            None => schema.map(Shape::CustomRoot),
        }
    } else if conversion::stored_version(&wanted, kind.name()).is_some() {
        let bare = group.split('.').next().unwrap_or_default();
        schema::type_of(&format!("{bare}.{}", kind.name())).map(Shape::Known)
    } else if Kind::all().any(|kind| kind.api_version() == wanted) {
        let plural = resource.plural;
        return plain(format!(
            "GVR ({group}/{version}, Resource={plural}) not found in OpenAPI schema"
        ));
    } else {
        let plural = resource.plural;
        return plain(format!("couldn't find resource for \"{wanted}, Resource={plural}\""));
    };
    if !group.is_empty() {
        call.out.push_str(&format!("GROUP:      {group}\n"));
    }
    call.out.push_str(&format!("KIND:       {}\nVERSION:    {version}\n\n", kind.name()));
    let Some(root) = root else {
        return plain(format!("the fields of {} are not in this model", kind.name()));
    };
    let explanation = Explanation { table, recursive: call.flags.on("recursive") };
    let text = explanation.of(root, &path)?;
    call.out.push_str(&text);
    Ok(())
}

/// A kind, by its resource or by resource and group, and the fields that follow.
///
/// Models staging/src/k8s.io/kubectl/pkg/explain/explain.go
/// SplitAndParseResourceRequestWithMatchingPrefix.
fn resource_and_path(call: &Call<'_>, text: &str) -> Result<(Kind, Vec<String>), Failure> {
    let words = |text: &str| {
        let words = text.split('.').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = text.split('.').next().unwrap_or_default();
    let kind = mapped(call, first)?;
    match text.strip_prefix(&kind.group_resource()) {
        Some(rest) => Ok((kind, words(rest))),
        None => Ok((kind, words(text).get(1..).unwrap_or_default().to_vec())),
    }
}

struct Explanation {
    table: &'static Descriptions,
    recursive: bool,
}

impl Explanation {
    /// What stands below the head.
    fn of(&self, root: Shape<'_>, path: &[String]) -> Result<String, Failure> {
        let (mut here, mut own, mut out) = (root, String::new(), String::new());
        for (index, name) in path.iter().enumerate() {
            let mut fields = here.fields(self.table).into_iter();
            let Some(field) = fields.find(|field| field.name == name) else {
                let last = path.last().unwrap_or(name);
                return plain(format!("field \"{last}\" does not exist"));
            };
            (here, own) = (field.shape, field.text);
            if index + 1 == path.len() {
                let guess = here.guess(name);
                out.push_str(&format!("FIELD: {name} <{guess}>\n{}\n\n", self.long_enum(&here)));
            }
        }
        let mut text = if own.is_empty() { String::new() } else { own + "\n" };
        text.push_str(&here.text(self.table));
        if text.is_empty() {
            text.push_str("<empty>");
        }
        out.push_str(&format!("DESCRIPTION:\n{}\n", indent(4, &wrap(76, &text))));
        let mut fields = String::new();
        self.list(&here, &[], &mut fields);
        if !fields.is_empty() {
            out.push_str("FIELDS:\n");
            out.push_str(&fields);
        }
        out.push('\n');
        Ok(out)
    }

    fn long_enum(&self, of: &Shape<'_>) -> String {
        let values = of.values(self.table);
        if values.is_empty() {
            return String::new();
        }
        let lines = values.iter().map(|value| format!("\n    {value}"));
        format!("ENUM:{}", lines.collect::<String>())
    }

    /// Up to four values.
    fn short_enum(&self, of: &Shape<'_>, indent: usize) -> String {
        let values = of.values(self.table);
        let Some(first) = values.get(..values.len().min(4)).filter(|first| !first.is_empty())
        else {
            return String::new();
        };
        let more = if values.len() > 4 { ", ...." } else { "" };
        format!("\n{}enum: {}{more}", " ".repeat(indent), first.join(", "))
    }

    /// The fields, but those of a structure that is inside of itself.
    fn list(&self, of: &Shape<'_>, above: &[Option<&str>], out: &mut String) {
        let name = of.name();
        if name.is_some() && above.contains(&name) {
            return;
        }
        let here: Vec<Option<&str>> = above.iter().copied().chain([name]).collect();
        let level = here.len();
        let indented = level * 2;
        for field in of.fields(self.table) {
            out.push_str(&format!(
                "{}{}\t<{}>{}{}\n",
                " ".repeat(indented),
                field.name,
                field.shape.guess(field.name),
                if field.required { " -required-" } else { "" },
                self.short_enum(&field.shape, indented),
            ));
            if self.recursive {
                self.list(&field.shape, &here, out);
                continue;
            }
            let text = match field.text.as_str() {
                "" => "<no description>",
                text => text,
            };
            out.push_str(&indent(indented + 2, &wrap(78 - indented, text)));
            out.push_str("\n\n");
        }
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
