//! Label selectors.

use super::meta::StringMap;
use super::tree::Tree as _;
use crate::base::order;
use serde_json::Value;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is upstream's operator of that name")]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

impl Operator {
    /// Reads `In`, `NotIn`, …
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => return None,
        })
    }
}

/// One condition on one label.
///
/// Models staging/src/k8s.io/apimachinery/pkg/labels/selector.go Requirement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// The comparison.
    pub operator: Operator,
    /// What it is compared with; sorted.
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether a value (or its absence) satisfies the requirement.
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let listed = || value.is_some_and(|value| self.values.iter().any(|v| v == value));
        let number = |text: &str| text.parse::<i64>().ok();
        let compare = |fits: fn(i64, i64) -> bool| {
            let bound = self.values.first().and_then(|text| number(text));
            value.and_then(number).zip(bound).is_some_and(|(value, bound)| fits(value, bound))
        };
        match self.operator {
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => compare(|value, bound| value > bound),
            Operator::Lt => compare(|value, bound| value < bound),
        }
    }
}

/// A selector: all its requirements must hold. One without requirements selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// The requirements, sorted by key.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// The selector of a `metav1.LabelSelector`. Absent selects nothing: `None`.
    pub fn from_label_selector(value: Option<&Value>) -> Option<Self> {
        let value = value.filter(|value| !value.is_null())?;
        let mut selector = Self::from_map(value.at(&["matchLabels"]));
        selector.requirements.extend(
            value.items_at(&["matchExpressions"]).iter().filter_map(requirement_from_value),
        );
        order::sort(&mut selector.requirements);
        Some(selector)
    }

    /// The selector of a plain map, as Services and `nodeSelector` have it.
    pub fn from_map(value: Option<&Value>) -> Self {
        let pairs = value.and_then(Value::as_object).into_iter().flatten();
        let requirements =
            pairs.filter_map(|(key, value)| Some(equals(key, value.as_str()?))).collect();
        Selector { requirements }
    }

    /// Reads the command line's form: `app=web,env in (dev,test),!old,tier!=db`.
    ///
    /// # Errors
    /// The API server's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let requirements = super::selector_text::parse(text)?;
        Ok(Selector { requirements })
    }

    /// Whether labels satisfy all requirements.
    pub fn matches(&self, labels: &StringMap) -> bool {
        self.requirements.iter().all(|r| r.matches_value(labels.get(&r.key)))
    }

    /// Whether it selects everything.
    pub const fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The pairs that every selected object must carry, by key; indexes use them.
    pub fn required_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.requirements.iter().filter_map(|r| match (r.operator, r.values.as_slice()) {
            (Operator::In, [value]) => Some((r.key.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The first of [`Self::required_pairs`].
    pub fn required_pair(&self) -> Option<(&str, &str)> {
        self.required_pairs().next()
    }
}

impl core::fmt::Display for Selector {
    /// As `metav1.FormatLabelSelector` writes it: `app=web,env in (dev,test),!old`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let (key, values) = (&requirement.key, requirement.values.join(","));
            match (requirement.operator, requirement.values.len()) {
                (Operator::In, 1) => write!(f, "{key}={values}")?,
                (Operator::In, _) => write!(f, "{key} in ({values})")?,
                (Operator::NotIn, _) => write!(f, "{key} notin ({values})")?,
                (Operator::Exists, _) => write!(f, "{key}")?,
                (Operator::DoesNotExist, _) => write!(f, "!{key}")?,
                (Operator::Gt, _) => write!(f, "{key}>{values}")?,
                (Operator::Lt, _) => write!(f, "{key}<{values}")?,
            }
        }
        Ok(())
    }
}

fn equals(key: &str, value: &str) -> Requirement {
    Requirement { key: key.to_owned(), operator: Operator::In, values: vec![value.to_owned()] }
}

/// Reads `{key, operator, values}`; `None` if the operator is unknown.
pub fn requirement_from_value(value: &Value) -> Option<Requirement> {
    let mut values: Vec<String> =
        value.items_at(&["values"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    order::sort(&mut values);
    Some(Requirement {
        key: value.str_at(&["key"])?.to_owned(),
        operator: Operator::parse(value.str_at(&["operator"])?)?,
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_of_the_command_line_select_as_on_a_real_cluster() {
        let labels: StringMap = [("app", "web"), ("env", "dev"), ("n", "5")].into_iter().collect();
        let cases = [
            ("", true),
            ("app=web", true),
            ("app==web,env=dev", true),
            ("app!=web", false),
            ("tier!=db", true),
            ("env in (dev, test)", true),
            ("env notin (dev,test)", false),
            ("env", true),
            ("!env", false),
            ("!tier,app", true),
            ("n>4,n<6", true),
        ];
        for (text, expected) in cases {
            let selector = Selector::parse(text).unwrap();
            assert_eq!(selector.matches(&labels), expected, "{text}");
        }
        assert!(Selector::parse("a b").is_err());
    }

    #[test]
    fn an_absent_label_selector_selects_nothing_and_an_empty_one_everything() {
        assert_eq!(Selector::from_label_selector(None), None);
        let empty = json!({});
        assert!(Selector::from_label_selector(Some(&empty)).unwrap().is_everything());
    }

    #[test]
    fn a_selector_is_written_as_kubectl_writes_it() {
        let value = json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "env", "operator": "In", "values": ["test", "dev"]},
                {"key": "old", "operator": "DoesNotExist"}
            ]
        });
        let selector = Selector::from_label_selector(Some(&value)).unwrap();
        assert_eq!(selector.to_string(), "app=web,env in (dev,test),!old");
    }
}
