//! What the API says of its own types and fields: the words of `kubectl explain`.
//!
//! The table is `static/descriptions.txt`, made by scripts/descriptions.py. It is too long for the
//! page's first visit, so there it comes later, through [`provide`].

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A type in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What it is.
    pub text: String,
    /// Its fields by name.
    pub fields: BTreeMap<String, FieldDescription>,
}

/// A field in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldDescription {
    /// What it is.
    pub text: String,
    /// Whether it must be there.
    pub required: bool,
}

/// All types and enumerations.
#[derive(Clone, Debug, Default)]
pub struct Descriptions {
    types: BTreeMap<String, Description>,
    enums: BTreeMap<String, Vec<(String, String)>>,
}

static TABLE: OnceLock<Descriptions> = OnceLock::new();

/// Takes in the text of the table. Later calls change nothing.
pub fn provide(text: &str) {
    TABLE.get_or_init(|| Descriptions::read(text));
}

/// The table; `None` in a page that has not loaded it yet.
pub fn table() -> Option<&'static Descriptions> {
    #[cfg(not(target_arch = "wasm32"))]
    provide(include_str!("../../static/descriptions.txt"));
    TABLE.get()
}

impl Descriptions {
    fn read(text: &str) -> Self {
        let mut all = Descriptions::default();
        let mut here = None;
        for line in text.lines().filter(|line| !line.starts_with("//")) {
            let (name, words) = line.split_once('\t').unwrap_or((line, ""));
            let words = words.replace("\\n", "\n");
            if let Some(name) = name.strip_prefix("# ") {
                let description = Description { text: words, ..Description::default() };
                all.types.insert(name.to_owned(), description);
                here = Some(Ok(name.to_owned()));
            } else if let Some(name) = name.strip_prefix("= ") {
                all.enums.insert(name.to_owned(), Vec::new());
                here = Some(Err(name.to_owned()));
            } else if let Some(Ok(here)) = &here {
                let required = name.ends_with('!');
                let name = name.trim_end_matches('!').to_owned();
                let field = FieldDescription { text: words, required };
                all.types.entry(here.clone()).or_default().fields.insert(name, field);
            } else if let Some(Err(here)) = &here {
                all.enums.entry(here.clone()).or_default().push((name.to_owned(), words));
            }
        }
        all
    }

    /// A type by its name in the table of the schema.
    pub fn of_type(&self, name: &str) -> Option<&Description> {
        self.types.get(name)
    }

    /// The values of an enumeration with what each means, sorted; empty if it is none.
    pub fn values(&self, name: &str) -> &[(String, String)] {
        self.enums.get(name).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::schema;

    #[test]
    fn every_type_and_field_of_the_schema_is_described() {
        let table = table().unwrap();
        for name in schema::struct_names() {
            let described = table.of_type(name).unwrap_or_else(|| panic!("{name}"));
            let fields: Vec<&str> = schema::struct_fields(name).unwrap().keys().copied().collect();
            let known: Vec<&str> = described.fields.keys().map(String::as_str).collect();
            assert_eq!(fields, known, "{name}");
        }
    }

    #[test]
    fn enumerations_say_what_their_values_mean() {
        let values = table().unwrap().values("PullPolicy");
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Always", "IfNotPresent", "Never"]);
        assert!(values[0].1.starts_with("means that kubelet always attempts"));
    }
}
