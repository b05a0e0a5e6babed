//! How a Go template prints a value.

use serde_json::{Number, Value};

/// The text that a template prints for `{{ value }}`: Go's `%v`.
pub(super) fn format(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::Bool(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => format_number(number),
        Value::Array(list) => {
            let list: Vec<_> = list.iter().map(format).collect();
            format!("[{}]", list.join(" "))
        }
        Value::Object(map) => {
            let mut members: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}:{}", format(value))).collect();
            members.sort();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// The text of a number where Helm expects a string, as in `version: 90`: no exponent for integers.
pub(super) fn as_text(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    let whole = value.fract() == 0.0 && value.abs() < 1e15;
    if whole { format!("{value:.0}") } else { format_number(number) }
}

/// The fewest digits that give the number back, with an exponent below 1e-4 and from 1e6 on: with the
/// shortest precision, `strconv.FormatFloat` chooses the exponent as if the precision were six.
fn format_number(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // Expected texts printed by fmt.Sprintf("%v") of Go 1.26.
    #[test]
    fn as_go_prints() {
        for (value, printed) in [
            (json!(20240101.0), "2.0240101e+07"),
            (json!(100000.0), "100000"),
            (json!(1000000.0), "1e+06"),
            (json!(123456.0), "123456"),
            (json!(1234567.0), "1.234567e+06"),
            (json!(1.1), "1.1"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(1e21), "1e+21"),
            (json!(1.5e300), "1.5e+300"),
            (json!(-2.0), "-2"),
            (json!(0.0), "0"),
            (json!(1e20), "1e+20"),
            (json!(12345.678), "12345.678"),
            (json!(1234567.5), "1.2345675e+06"),
            (json!(999999.5), "999999.5"),
            (json!({"b": 1.0, "a": "x"}), "map[a:x b:1]"),
            (json!(["a", true, null]), "[a true <nil>]"),
        ] {
            assert_eq!(format(&value), printed);
        }
    }
}
