//! An address that opens the page as it is: the text, and what the cluster began with.
//!
//! It is data and nothing else: no command stands in it, and what it holds is checked as what a
//! person types.

use super::model::{Model, SEED};
use super::samples::Sample;
use crate::api::tree::TreeMut as _;
use crate::manifest::LIMIT;
use crate::proxy::Mode;
use serde_json::{Value, json};

/// The version of the format, in front of what is packed.
pub const VERSION: &str = "v1";
/// The most bytes that an address may unpack to.
pub const MOST_BYTES: usize = LIMIT;

/// What an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The sample.
    pub sample: Sample,
    /// The text in the editor; the sample's own if absent.
    pub text: Option<String>,
    /// The seed of the cluster's chances.
    pub seed: u64,
    /// How kube-proxy works.
    pub mode: Mode,
    /// Where requests go.
    pub aim: Option<String>,
}

impl Shared {
    /// What there is now.
    pub fn of(model: &Model) -> Self {
        let own = *model.source == *model.sample.yaml(model.lang);
        Shared {
            sample: model.sample,
            text: (!own).then(|| model.source.to_string()),
            seed: model.seed,
            mode: model.world.proxy_mode(),
            aim: model.aim.as_ref().map(|aim| aim.url.clone()),
        }
    }

    /// As text, to be packed.
    #[inline(never)]
    pub fn to_text(&self) -> String {
        let mut value = json!({"sample": self.sample.name(), "mode": self.mode.name()});
        if let Some(text) = &self.text {
            value.put(&["text"], text.as_str());
        }
        if let Some(aim) = &self.aim {
            value.put(&["aim"], aim.as_str());
        }
        if self.seed != SEED {
            value.put(&["seed"], self.seed);
        }
        value.to_string()
    }

    /// Reads what [`to_text`](Self::to_text) wrote; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.len() > MOST_BYTES {
            return None;
        }
        let value: Value = serde_json::from_str(text).ok()?;
        let word = |key: &str| value.get(key).and_then(Value::as_str);
        Some(Shared {
            sample: word("sample").and_then(Sample::of_name).unwrap_or_default(),
            text: word("text").map(str::to_owned),
            seed: value.get("seed").and_then(Value::as_u64).unwrap_or(SEED),
            mode: word("mode").and_then(Mode::parse).unwrap_or(Mode::Iptables),
            aim: word("aim").map(str::to_owned),
        })
    }
}

/// Makes the page what an address says; what was there can be had back.
#[inline(never)]
pub(super) fn open(model: &mut Model, shared: Shared) {
    model.begin_anew(shared.sample, shared.seed);
    model.source = match shared.text {
        Some(text) => text.into(),
        None => shared.sample.yaml(model.lang).into(),
    };
    model.terminal.break_off(shared.sample.name());
    model.world.set_proxy_mode(shared.mode);
    model.is_set_up = false;
    model.apply_once_set_up();
    let targets = super::request::targets(&model.world);
    model.aim = targets.into_iter().find(|target| Some(&target.url) == shared.aim.as_ref());
}

#[cfg(test)]
mod tests {
    use super::super::{Msg, Opening, update};
    use super::*;

    #[test]
    fn what_is_shared_opens_the_same_page() {
        let mut model = Model::new(Opening { sample: Sample::NodePort, ..Opening::default() });
        let text = model.source.replace("replicas: 2", "replicas: 3");
        update(&mut model, Msg::Edit(text.into()));
        update(&mut model, Msg::Run("proxy mode nftables".into()));
        let shared = Shared::of(&model);
        let read = Shared::from_text(&shared.to_text()).unwrap();
        assert_eq!(read, shared);
        let mut other = Model::new(Opening::default());
        update(&mut other, Msg::Open(Box::new(read)));
        assert_eq!((&other.source, other.sample), (&model.source, Sample::NodePort));
        assert_eq!(other.world.proxy_mode(), Mode::Nftables);
        update(&mut other, Msg::Undo);
        assert_eq!(other.sample, Sample::Web);
    }

    #[test]
    fn what_is_no_shared_page_is_none() {
        for text in ["", "[]x", "{", &"x".repeat(MOST_BYTES + 1)] {
            assert_eq!(Shared::from_text(text), None);
        }
    }
}
