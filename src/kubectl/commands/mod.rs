//! What each command does, one file a group.

pub(crate) mod apply;
pub(crate) mod attach;
pub(crate) mod certificate;
pub(crate) mod config;
pub(crate) mod cp;
pub(crate) mod create;
pub(crate) mod debug;
mod debug_profile;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod drain;
pub(crate) mod dump;
pub(crate) mod edit;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod expose;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod info;
pub(crate) mod kuberc;
pub(crate) mod label;
pub(crate) mod last_applied;
pub(crate) mod local;
pub(crate) mod logs;
pub(crate) mod nodes;
pub(crate) mod patch;
pub(crate) mod port_forward;
pub(crate) mod proxy;
pub(crate) mod prune;
pub(crate) mod raw;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod scale;
pub(crate) mod server_side;
pub(crate) mod set;
pub(crate) mod set_env;
pub(crate) mod wait;
pub(crate) mod watch;

use super::call::Call;
use super::failure::Failure;
use super::patch::two_way;
use crate::api::{Kind, Object, Value};
use crate::store::ObjectKey;
use crate::store::patch::{FieldValidation, Patch};
use core::time::Duration;

/// Nobody waits longer than this for what may never come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// How often the server looks for the default service account of a namespace again, which is made a
/// moment after it.
///
/// Models plugin/pkg/admission/serviceaccount/admission.go getServiceAccount.
pub(crate) const ADMISSION_TRIES: u32 = 9;
/// How long it waits before each: upstream draws from 100 to 200 ms.
pub(crate) const ADMISSION_RETRY: Duration = Duration::from_millis(150);

/// The kind of a word, where it is asked for directly: then kubectl says so without `error: `.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go checkErr of a NoResourceMatchError.
pub(crate) fn mapped(call: &Call<'_>, word: &str) -> Result<Kind, Failure> {
    super::resources::kind_of(call.world.store(), word)
        .map_err(|why| Failure::Verbatim(why.sentence()))
}

/// Stores a changed object for a command, or not with `--dry-run`, and gives back what it is then.
pub(crate) fn store_change(
    call: &mut Call<'_>,
    kind: Kind,
    value: &Value,
    namespace: &str,
) -> Result<Value, Failure> {
    if call.dry_run()? == super::call::DryRun::Client {
        return Ok(value.clone());
    }
    let stored = call.write(|world| world.update(kind, value, namespace))?;
    Ok(super::call::shown(&stored))
}

/// With `--record`, notes the command in an object that it has written already.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/genericclioptions/record_flags.go
/// MakeRecordMergePatch.
pub(crate) fn record_after(call: &mut Call<'_>, object: &Object) -> Result<(), Failure> {
    let mut value = super::call::shown(object);
    call.record(&mut value);
    match call.flags.cause().is_some() {
        true => send_change(call, object, &value).map(drop),
        false => Ok(()),
    }
}

/// Sends what is different in an object as a patch, or not with `--dry-run`, and gives back what it
/// is then.
pub(crate) fn send_change(
    call: &mut Call<'_>,
    object: &Object,
    value: &Value,
) -> Result<Value, Failure> {
    if call.dry_run()? == super::call::DryRun::Client {
        return Ok(value.clone());
    }
    let before = super::call::shown(object);
    let (how, body) = two_way(object.kind, &before, value).map_err(Failure::Plain)?;
    let patch = Patch { how, body, fields: FieldValidation::Warn, of_status: false };
    let stored = call.patch(object.kind, &ObjectKey::of(object), &patch)?;
    Ok(super::call::shown(&stored))
}

/// Reads Go's durations, `90s`, `1m30s`, `2h`, `500ms`; a bare number is seconds for some flags.
///
/// # Errors
/// Go's sentence.
pub(crate) fn duration(text: &str) -> Result<Duration, Failure> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = || Failure::Plain(format!("time: invalid duration \"{text}\""));
    let mut total = Duration::ZERO;
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if end == 0 {
            return Err(wrong());
        }
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit_end);
        let micros_of_unit: u64 = match unit {
            "us" | "µs" => 1,
            "ms" => 1000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "" => return Err(Failure::Plain(format!("time: missing unit in duration \"{text}\""))),
            "." => return Err(wrong()),
            unit => {
                let why = format!("time: unknown unit \"{unit}\" in duration \"{text}\"");
                return Err(Failure::Plain(why));
            }
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
        let mut micros = whole.saturating_mul(micros_of_unit);
        let mut scale = micros_of_unit;
        for digit in part.chars() {
            scale /= 10;
            micros = micros.saturating_add(u64::from(digit.to_digit(10).unwrap_or(0)) * scale);
        }
        total = total.saturating_add(Duration::from_micros(micros));
        rest = after;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases = [
            ("60s", 60_000),
            ("1m30s", 90_000),
            ("1.5s", 1500),
            ("500ms", 500),
            ("0", 0),
            ("2h", 7_200_000),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert!(duration("5").is_err() && duration("x").is_err() && duration("").is_err());
    }
}
