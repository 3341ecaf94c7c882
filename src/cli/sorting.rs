//! `--sort-by`: objects in the order of one of their fields (`kubernetes/kubectl pkg/cmd/get/sorter.go`).

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::codec::quantity::Quantity;
use crate::pod::jsonpath::Path;

/// Sorts `items` by what `path` finds in the object of each. Items without the field come first; equal ones stay in
/// their order.
///
/// # Errors
/// The path does not fit an object, or no object has the field.
pub fn sort<T>(items: &mut [(Value, T)], path: &Path) -> Result<(), String> {
    let mut any = items.is_empty();
    for (object, _) in items.iter() {
        any |= !path.find(object).map_err(|e| e.to_string())?.is_empty();
    }
    if !any {
        return Err("no pod has this field".into());
    }
    let key = |object: &Value| path.find(object).ok().and_then(|found| found.first().map(|v| (*v).clone()));
    items.sort_by_cached_key(|(object, _)| Key(key(object)));
    Ok(())
}

#[derive(PartialEq, Eq)]
struct Key(Option<Value>);

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}

/// A total order, as sorting needs it: kubectl's way of taking two texts for amounts if both are, and else for names, is
/// none. Here amounts come before names.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(a), Ok(b)) => a.milli_value().cmp(&b.milli_value()),
            (Err(_), Err(_)) => natural(a, b),
            (a, b) => a.is_err().cmp(&b.is_err()),
        },
        (Value::Number(a), Value::Number(b)) => {
            let size = |n: &Number| n.as_f64().unwrap_or_default();
            size(a).total_cmp(&size(b)).then_with(|| a.as_i64().cmp(&b.as_i64()))
        }
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// `web-2` before `web-10`: runs of digits count as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let ((x, rest_a), (y, rest_b)) = (run(a), run(b));
        if x.is_empty() || y.is_empty() {
            return x.len().cmp(&y.len());
        }
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(x) && digits(y) {
            let (m, n) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            m.len().cmp(&n.len()).then_with(|| m.cmp(n)).then_with(|| x.len().cmp(&y.len()))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The first run of digits or of other characters, and the rest.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(values: &[Value]) -> String {
        let mut items: Vec<_> = values.iter().enumerate().map(|(i, v)| (json!({ "key": v }), i)).collect();
        sort(&mut items, &Path::relaxed(".key").unwrap()).unwrap();
        items.iter().map(|(_, i)| i.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn by_what_values_mean() {
        assert_eq!(sorted(&[json!("web-10"), json!("web-2"), json!("db")]), "2 1 0");
        assert_eq!(sorted(&[json!(10), json!(9), json!(-1)]), "2 1 0");
        assert_eq!(sorted(&[json!("1Gi"), json!("500Mi"), json!("100m")]), "2 1 0");
        assert_eq!(sorted(&[json!("2026-01-02T00:00:00Z"), json!("2025-12-31T23:59:59Z")]), "1 0");
        assert_eq!(sorted(&[json!("b"), json!("a"), json!("b")]), "1 0 2", "equal ones keep their order");
    }

    #[test]
    fn the_order_has_no_circles() {
        let texts = ["2", "1k", "1z", "10", "web-2", "1000m", "", "-", "1e3", "0x1"].map(Value::from);
        let big = 1_u64 << 53;
        let numbers = [json!(big), json!(big as f64), json!(big + 1), json!(-1), json!(0.5), json!(u64::MAX)];
        let all: Vec<Value> = texts.into_iter().chain(numbers).chain([Value::Null, json!(true), json!([1])]).collect();
        for a in &all {
            for b in &all {
                assert_eq!(compare(a, b), compare(b, a).reverse(), "{a} {b}");
                for c in &all {
                    let through = compare(a, b).is_le() && compare(b, c).is_le();
                    assert!(!through || compare(a, c).is_le(), "{a} {b} {c}");
                }
            }
        }
    }

    #[test]
    fn what_lacks_the_field_comes_first_and_a_field_that_nobody_has_is_an_error() {
        let mut items = vec![(json!({"a": 1}), 'x'), (json!({}), 'y')];
        sort(&mut items, &Path::relaxed("a").unwrap()).unwrap();
        assert_eq!(items.iter().map(|(_, c)| *c).collect::<String>(), "yx");
        assert!(sort(&mut items, &Path::relaxed("b").unwrap()).is_err());
        assert!(sort(&mut items, &Path::relaxed("a[0]").unwrap()).is_err());
    }
}
