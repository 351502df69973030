//! Reading trees without ceremony.

use serde_json::{Map, Value};

/// Short ways to read a [`Value`]: what is absent or of another type is `None`, never a panic.
pub trait Tree {
    /// The value at a path of object keys (`&["spec", "replicas"]`).
    fn at(&self, path: &[&str]) -> Option<&Value>;

    /// The text at a path.
    fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The whole number at a path.
    fn int_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// The boolean at a path.
    fn bool_at(&self, path: &[&str]) -> Option<bool> {
        self.at(path)?.as_bool()
    }

    /// The items of the list at a path; none if there is no list.
    fn items_at(&self, path: &[&str]) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The fields of the object at a path.
    fn fields_at(&self, path: &[&str]) -> Option<&Map<String, Value>> {
        self.at(path)?.as_object()
    }
}

impl Tree for Value {
    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.as_object()?.get(*key))
    }
}

/// Short ways to write into a [`Value`].
pub trait TreeMut {
    /// The value at a path of object keys, made (as nested objects ending in null) where absent.
    /// What stands in the way and is no object is replaced by one.
    fn entry(&mut self, path: &[&str]) -> &mut Value;

    /// Puts a value at a path, making the objects on the way.
    fn put(&mut self, path: &[&str], value: impl Into<Value>) {
        *self.entry(path) = value.into();
    }

    /// Puts a value at a path unless there is one that is not null.
    fn put_default(&mut self, path: &[&str], value: impl Into<Value>) {
        let entry = self.entry(path);
        if entry.is_null() {
            *entry = value.into();
        }
    }

    /// Takes the value at a path away, if there is one.
    fn remove(&mut self, path: &[&str]) -> Option<Value>;
}

impl TreeMut for Value {
    fn entry(&mut self, path: &[&str]) -> &mut Value {
        let mut value = self;
        for key in path {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            value = &mut value[*key];
        }
        value
    }

    fn remove(&mut self, path: &[&str]) -> Option<Value> {
        let (last, parents) = path.split_last()?;
        let mut value = self;
        for key in parents {
            value = value.as_object_mut()?.get_mut(*key)?;
        }
        value.as_object_mut()?.remove(*last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reading_past_the_end_gives_nothing() {
        let value = json!({"spec": {"replicas": 3}});
        assert_eq!(value.int_at(&["spec", "replicas"]), Some(3));
        assert_eq!(value.int_at(&["spec", "replicas", "more"]), None);
        assert!(value.items_at(&["spec", "replicas"]).is_empty());
    }

    #[test]
    fn writing_makes_the_objects_on_the_way() {
        let mut value = json!({"spec": 1});
        value.put(&["spec", "a", "b"], 2);
        value.put_default(&["spec", "a", "b"], 3);
        assert_eq!(value, json!({"spec": {"a": {"b": 2}}}));
        assert_eq!(value.remove(&["spec", "a", "b"]), Some(json!(2)));
        assert_eq!(value.remove(&["spec", "x", "b"]), None);
    }
}
