//! The values of expressions, and what can be done with them.
//!
//! Models github.com/google/cel-go (common/types, ext) and
//! staging/src/k8s.io/apiserver/pkg/cel/library.

use crate::base::{Quantity, SimTime};
use crate::pattern::{Dialect, Pattern};
use core::cmp::Ordering;
use serde_json::Value;

const SECOND: i64 = 1_000_000_000;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    /// One that JSON has.
    Json(Value),
    /// A span of time in nanoseconds.
    Span(i64),
    /// A moment, in microseconds since 1970.
    Moment(u64),
    /// An amount.
    Amount(Quantity),
    /// One that may be missing.
    Optional(Option<Box<Val>>),
}

impl<T: Into<Value>> From<T> for Val {
    fn from(value: T) -> Self {
        Val::Json(value.into())
    }
}

impl Val {
    /// The value as JSON has it.
    pub(super) fn json(self) -> Option<Value> {
        match self {
            Val::Json(value) => Some(value),
            _ => None,
        }
    }

    pub(super) const fn as_json(&self) -> Option<&Value> {
        match self {
            Val::Json(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        self.as_json()?.as_bool()
    }

    fn as_str(&self) -> Option<&str> {
        self.as_json()?.as_str()
    }

    fn as_i64(&self) -> Option<i64> {
        self.as_json()?.as_i64()
    }

    /// A text beside a span or a moment is meant as one: schemas say so by its format.
    fn like(&self, other: &Val) -> Option<Val> {
        match (self, other) {
            (Val::Json(Value::String(text)), Val::Span(_)) => span(text).map(Val::Span),
            (Val::Json(Value::String(text)), Val::Moment(_)) => moment(text).map(Val::Moment),
            _ => Some(self.clone()),
        }
    }
}

fn moment(text: &str) -> Option<u64> {
    SimTime::parse_rfc3339(text).map(SimTime::as_micros)
}

/// A span as Go reads it: `1h30m`, `-1.5s`.
fn span(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("h", 3600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
        ("", 0),
    ];
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut all: i64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|l: char| !l.is_ascii_digit() && l != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, factor) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let whole: i64 =
            if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
        all = all.checked_add(whole.checked_mul(*factor)?)?;
        let mut scale = *factor;
        for digit in part.chars() {
            scale /= 10;
            all = all.checked_add(scale.checked_mul(i64::from(digit.to_digit(10)?))?)?;
        }
        if *factor == 0 {
            return None;
        }
        rest = after.get(unit.len()..)?;
    }
    (!text.is_empty()).then_some(sign * all)
}

/// What two values make; `None` where that is not known here.
pub(super) fn two(sign: &str, left: &Val, right: &Val) -> Option<Val> {
    let (left, right) = (&left.like(right)?, &right.like(left)?);
    match sign {
        "==" | "!=" => {
            let same = match (left, right) {
                (Val::Json(a), Val::Json(b)) if a.is_number() && b.is_number() => {
                    a.as_f64() == b.as_f64()
                }
                (left, right) => left == right,
            };
            Some((same == (sign == "==")).into())
        }
        "in" => {
            let left = left.as_json()?;
            Some(match right.as_json()? {
                Value::Array(items) => items.contains(left).into(),
                other => other.get(left.as_str()?).is_some().into(),
            })
        }
        "<" | "<=" | ">" | ">=" => {
            let order = order(left, right)?;
            Some(Val::from(match sign {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        sign => counted(sign, left, right),
    }
}

/// The sum of two values and their like.
fn counted(sign: &str, left: &Val, right: &Val) -> Option<Val> {
    Some(match (left, right, sign) {
        (Val::Span(a), Val::Span(b), "+") => Val::Span(a.checked_add(*b)?),
        (Val::Span(a), Val::Span(b), "-") => Val::Span(a.checked_sub(*b)?),
        (Val::Moment(at), Val::Span(by), "+" | "-") => {
            let by = if sign == "-" { -(by / 1000) } else { by / 1000 };
            Val::Moment(at.checked_add_signed(by)?)
        }
        (Val::Span(_), Val::Moment(_), "+") => return counted(sign, right, left),
        (Val::Moment(a), Val::Moment(b), "-") => {
            let apart = i64::try_from(*a).ok()?.checked_sub(i64::try_from(*b).ok()?)?;
            Val::Span(apart.checked_mul(1000)?)
        }
        (Val::Json(Value::String(a)), Val::Json(Value::String(b)), "+") => format!("{a}{b}").into(),
        (Val::Json(Value::Array(a)), Val::Json(Value::Array(b)), "+") => {
            Val::Json([a.as_slice(), b.as_slice()].concat().into())
        }
        (left, right, sign) => match (left.as_i64(), right.as_i64()) {
            (Some(a), Some(b)) => Val::from(match sign {
                "+" => a.checked_add(b)?,
                "-" => a.checked_sub(b)?,
                "*" => a.checked_mul(b)?,
                "/" => a.checked_div(b)?,
                _ => a.checked_rem(b)?,
            }),
            _ => {
                let (a, b) = (left.as_json()?.as_f64()?, right.as_json()?.as_f64()?);
                Val::from(match sign {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    "/" => a / b,
                    _ => return None,
                })
            }
        },
    })
}

fn order(left: &Val, right: &Val) -> Option<Ordering> {
    Some(match (left, right) {
        (Val::Span(a), Val::Span(b)) => a.cmp(b),
        (Val::Moment(a), Val::Moment(b)) => a.cmp(b),
        (Val::Amount(a), Val::Amount(b)) => a.milli_value().cmp(&b.milli_value()),
        (Val::Json(Value::String(a)), Val::Json(Value::String(b))) => a.cmp(b),
        (Val::Json(Value::Bool(a)), Val::Json(Value::Bool(b))) => a.cmp(b),
        (left, right) => match (left.as_i64(), right.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => left.as_json()?.as_f64()?.total_cmp(&right.as_json()?.as_f64()?),
        },
    })
}

/// What a function makes of its arguments, the first of which may stand in front of it.
pub(super) fn call(name: &str, values: &[Val]) -> Option<Val> {
    let first = values.first()?;
    match (first, values.get(1)) {
        (Val::Optional(inside), _) => match name {
            "hasValue" => Some(inside.is_some().into()),
            "value" => inside.as_deref().cloned(),
            "orValue" => inside.as_deref().or(values.get(1)).cloned(),
            "or" if inside.is_some() => Some(first.clone()),
            "or" => values.get(1).cloned(),
            _ => None,
        },
        (Val::Amount(own), other) => of_amount(name, *own, other),
        (Val::Span(span), _) => of_span(name, *span),
        (Val::Moment(at), _) => of_moment(name, *at),
        (Val::Json(value), _) => converted(name, value).or_else(|| of_text(name, value, values)),
    }
}

/// Models staging/src/k8s.io/apiserver/pkg/cel/library/quantity.go.
fn of_amount(name: &str, own: Quantity, other: Option<&Val>) -> Option<Val> {
    let milli = own.milli_value();
    let others = || match other {
        Some(Val::Amount(other)) => Some(other.milli_value()),
        Some(other) => other.as_i64()?.checked_mul(1000),
        None => None,
    };
    Some(match name {
        "isGreaterThan" => (milli > others()?).into(),
        "isLessThan" => (milli < others()?).into(),
        "compareTo" => (milli.cmp(&others()?) as i64).into(),
        "add" => Val::Amount(Quantity::from_millis(milli.checked_add(others()?)?)),
        "sub" => Val::Amount(Quantity::from_millis(milli.checked_sub(others()?)?)),
        "sign" => milli.signum().into(),
        "isInteger" => (milli % 1000 == 0).into(),
        "asInteger" if milli % 1000 == 0 => (milli / 1000).into(),
        _ => return None,
    })
}

fn of_span(name: &str, span: i64) -> Option<Val> {
    Some(Val::from(match name {
        "getHours" => span / (3600 * SECOND),
        "getMinutes" => span / (60 * SECOND),
        "getSeconds" => span / SECOND,
        "getMilliseconds" => span / 1_000_000 % 1000,
        "string" => return Some(format!("{}s", span / SECOND).into()),
        "duration" => return Some(Val::Span(span)),
        _ => return None,
    }))
}

fn of_moment(name: &str, at: u64) -> Option<Val> {
    let time = SimTime::from_micros(at);
    let part = |pattern: &str| time.format(pattern).trim().parse::<i64>().ok();
    Some(Val::from(match name {
        "getFullYear" => part("%Y")?,
        "getMonth" => part("%m")? - 1,
        "getDate" => part("%d")?,
        "getDayOfMonth" => part("%d")? - 1,
        "getDayOfYear" => part("%j")? - 1,
        "getHours" => part("%H")?,
        "getMinutes" => part("%M")?,
        "getSeconds" => part("%S")?,
        "string" => return Some(time.rfc3339().into()),
        "int" => i64::try_from(at / 1_000_000).ok()?,
        "timestamp" => return Some(Val::Moment(at)),
        _ => return None,
    }))
}

/// What turns a value into one of another type.
fn converted(name: &str, value: &Value) -> Option<Val> {
    let text = value.as_str();
    Some(match name {
        "size" => Val::from(match value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            other => other.as_str()?.chars().count(),
        }),
        "dyn" => Val::Json(value.clone()),
        "string" => match value {
            Value::String(text) => text.as_str().into(),
            other => other.to_string().into(),
        },
        "int" | "uint" => match value {
            Value::String(text) => text.parse::<i64>().ok()?.into(),
            #[expect(clippy::cast_possible_truncation, reason = "the language cuts, too")]
            other => other.as_i64().or_else(|| Some(other.as_f64()? as i64))?.into(),
        },
        "double" => match text {
            Some(text) => text.parse::<f64>().ok()?.into(),
            None => value.as_f64()?.into(),
        },
        "bool" => text.map_or(value.as_bool(), |text| text.parse().ok())?.into(),
        "duration" => Val::Span(span(text?)?),
        "timestamp" => Val::Moment(moment(text?)?),
        "quantity" => Val::Amount(Quantity::parse(text?).ok()?),
        "isQuantity" => Quantity::parse(text?).is_ok().into(),
        "isURL" => crate::api::go_url::Url::is_request(text?).into(),
        "isIP" => text?.parse::<core::net::IpAddr>().is_ok().into(),
        "isCIDR" => text?.parse::<ipnet::IpNet>().is_ok().into(),
        _ => return None,
    })
}

/// What can be done with texts and lists.
fn of_text(name: &str, value: &Value, values: &[Val]) -> Option<Val> {
    let text = |place: usize| values.get(place).and_then(Val::as_str);
    let number = |place: usize| values.get(place)?.as_i64().and_then(|it| usize::try_from(it).ok());
    if let Value::Array(items) = value {
        let places = || items.iter().map(|item| Val::Json(item.clone()));
        return Some(match name {
            "join" => {
                let all: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                all?.join(text(1).unwrap_or_default()).into()
            }
            "sum" => places().try_fold(Val::from(0), |sum, item| counted("+", &sum, &item))?,
            "min" | "max" => {
                let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
                let better = |best: Val, item: Val| match order(&item, &best) {
                    Some(order) if order == wanted => item,
                    _ => best,
                };
                places().reduce(better)?
            }
            "isSorted" => {
                let pairs = items.iter().zip(items.iter().skip(1));
                let sorted = pairs.map(|(a, b)| {
                    order(&Val::Json(a.clone()), &Val::Json(b.clone())).map(Ordering::is_le)
                });
                sorted.collect::<Option<Vec<bool>>>()?.into_iter().all(|it| it).into()
            }
            _ => return None,
        });
    }
    let own = value.as_str()?;
    let letters = |from: usize, to: Option<usize>| -> String {
        let all = own.chars().skip(from);
        to.map_or_else(|| all.clone().collect(), |to| all.clone().take(to - from.min(to)).collect())
    };
    let found = |place: Option<usize>| match place.and_then(|at| own.get(..at)) {
        Some(before) => i64::try_from(before.chars().count()).unwrap_or(-1),
        None => -1,
    };
    Some(match name {
        "startsWith" => own.starts_with(text(1)?).into(),
        "endsWith" => own.ends_with(text(1)?).into(),
        "contains" => own.contains(text(1)?).into(),
        "matches" => Pattern::new(text(1)?, Dialect::Go, false).ok()?.is_in(own).into(),
        "lowerAscii" => own.to_ascii_lowercase().into(),
        "upperAscii" => own.to_ascii_uppercase().into(),
        "trim" => own.trim().into(),
        "replace" => own.replace(text(1)?, text(2)?).into(),
        "split" => Val::Json(own.split(text(1)?).map(Value::from).collect()),
        "charAt" => letters(number(1)?, Some(number(1)? + 1)).into(),
        "substring" => letters(number(1)?, number(2)).into(),
        "indexOf" => found(own.find(text(1)?)).into(),
        "lastIndexOf" => found(own.rfind(text(1)?)).into(),
        _ => return None,
    })
}
