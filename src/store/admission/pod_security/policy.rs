//! Levels, versions, and the labels of a namespace that choose them.
//!
//! Models staging/src/k8s.io/pod-security-admission/api/helpers.go.

use crate::api::{FieldError, StringMap};
use core::fmt;

/// How strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Everything goes.
    #[default]
    Privileged,
    /// Nothing that is known to lead out of a container.
    Baseline,
    /// Only what is hardened.
    Restricted,
}

/// The minor version whose checks count; the last one for `latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32);

impl Version {
    const LATEST: Version = Version(u32::MAX);

    /// Whether a check that came with `1.minor` counts.
    pub(super) const fn has(self, minor: u32) -> bool {
        self.0 >= minor
    }

    fn parse(text: &str) -> Option<Self> {
        let minor = match text {
            "latest" => return Some(Version::LATEST),
            text => text.strip_prefix("v1.")?,
        };
        let is_plain = minor.bytes().all(|byte| byte.is_ascii_digit())
            && (minor.len() == 1 || !minor.starts_with('0'));
        minor.parse().ok().filter(|_| is_plain).map(Version)
    }
}

/// A level as of a version: `restricted:latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelAndVersion {
    pub(super) level: Level,
    pub(super) version: Version,
}

impl Default for LevelAndVersion {
    fn default() -> Self {
        LevelAndVersion { level: Level::Privileged, version: Version::LATEST }
    }
}

impl fmt::Display for LevelAndVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.version {
            Version::LATEST => write!(f, "{level}:latest"),
            Version(minor) => write!(f, "{level}:v1.{minor}"),
        }
    }
}

/// What a namespace asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) enforce: LevelAndVersion,
    audit: LevelAndVersion,
    pub(super) warn: LevelAndVersion,
}

impl Policy {
    /// Whether nothing is refused, logged or warned of.
    pub(super) fn is_fully_privileged(self) -> bool {
        let levels = [self.enforce.level, self.audit.level, self.warn.level];
        levels.iter().all(|level| *level == Level::Privileged)
    }

    /// Reads the labels of a namespace. Those that cannot be read are reported, and count as the
    /// strictest level for `enforce` and as none for the others.
    ///
    /// Models api/helpers.go PolicyToEvaluate.
    pub(super) fn of(labels: &StringMap) -> (Policy, Vec<FieldError>) {
        let mut policy = Policy::default();
        let mut errors = Vec::new();
        let mut read = |name: &str, mode: &mut LevelAndVersion, otherwise: Level| {
            let label = format!("pod-security.kubernetes.io/{name}");
            let version_label = format!("{label}-version");
            let level = labels.get(&label).map(|text| (text, level_of(text)));
            if let Some((text, level)) = level {
                mode.level = level.unwrap_or(otherwise);
                if level.is_none() {
                    let detail = "must be one of privileged, baseline, restricted";
                    errors.push(wrong(&label, text, detail));
                }
            }
            let version = labels.get(&version_label).map(|text| (text, Version::parse(text)));
            if let Some((text, version)) = version {
                mode.version = version.unwrap_or(Version::LATEST);
                if version.is_none() {
                    errors.push(wrong(&version_label, text, "must be \"latest\" or \"v1.x\""));
                }
            }
            (level.map(|(_, level)| level.is_some()), version.is_some())
        };
        let (enforced, _) = read("enforce", &mut policy.enforce, Level::Restricted);
        read("audit", &mut policy.audit, Level::Privileged);
        let (warned, has_version) = read("warn", &mut policy.warn, Level::Privileged);
        if warned.is_none() && enforced == Some(true) && policy.enforce.level > policy.warn.level {
            policy.warn.level = policy.enforce.level;
            if !has_version {
                policy.warn.version = policy.enforce.version;
            }
        }
        (policy, errors)
    }
}

fn level_of(text: &str) -> Option<Level> {
    Some(match text {
        "privileged" => Level::Privileged,
        "baseline" => Level::Baseline,
        "restricted" => Level::Restricted,
        _ => return None,
    })
}

fn wrong(label: &str, value: &str, detail: &str) -> FieldError {
    FieldError::invalid(format!("metadata.labels[{label}]"), value, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_latest_or_v1_and_a_number() {
        for (text, known) in [("latest", true), ("v1.0", true), ("v1.36", true), ("v1.036", false)]
        {
            assert_eq!(Version::parse(text).is_some(), known, "{text}");
        }
        for text in ["", "1.20", "v1", "v1.", "v2.1", "v1.x", "v1.+1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn who_enforces_a_level_is_warned_of_the_same() {
        let labels = [("pod-security.kubernetes.io/enforce", "baseline")];
        let (policy, errors) = Policy::of(&labels.into_iter().collect());
        assert_eq!((policy.warn.level, policy.audit.level), (Level::Baseline, Level::Privileged));
        assert_eq!(errors, []);
        let labels = [("pod-security.kubernetes.io/enforce", "strict")];
        let (policy, errors) = Policy::of(&labels.into_iter().collect());
        assert_eq!(
            (policy.enforce.level, policy.warn.level),
            (Level::Restricted, Level::Privileged)
        );
        assert_eq!(errors.len(), 1);
    }
}
