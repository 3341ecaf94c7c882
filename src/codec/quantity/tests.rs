use super::*;
use proptest::prelude::*;

/// Input and output, verified with kubectl.
const VECTORS: &str = "0.5 500m 1000m 1 1024Mi 1Gi 1.5Gi 1536Mi 1.5 1500m 0.0001 100u 100.035Ki 102435840m \
    0.5Mi 512Ki 0.05Gi 53687091200m 0.025Ti 27487790694400m 512Ki 512Ki 1023Ki 1023Ki 0.5Ki 512 0.001Ki 1024m \
    .001Ki 1024m 1500Mi 1500Mi 1025Mi 1025Mi 8Ki 8Ki 64000Ki 64000Ki 123456789Ki 123456789Ki 1048576Ki 1Gi \
    1048575Ki 1048575Ki 1536Mi 1536Mi 1Ei 1Ei 9Ei 9223372036854775807 12E 12E 8192 8192 65536 65536 1000 1k \
    100000 100k 1000k 1M 1001k 1001k 0.5G 500M 64000000 64M 1000000m 1k 1500u 1500u 3.001n 4n \
    0.0000000001 1n -1 -1 -0.5 -500m -1.0000000001 -1000000001n .5 500m 1.0 1 1.000 1 10.000 10 2.50 2500m \
    0.1 100m 0.10 100m 0.100 100m 100m 100m 1m 1m 0 0 00 0 000 0 0.0 0 0e0 0 0Ki 0 1e3 1e3 1E3 1E3 1e6 1e6 \
    1E6 1E6 1e2 100 1.5e3 1500 15e2 1500 1500e3 1500e3 0.1e1 1 2e0 2e0 1e-3 1e-3 1.500 1.500 1.250 1.250 \
    1234567.891 1234567.891 01 01 007Mi 007Mi +5 +5 1. 1. 1.G 1.G +1.5 1500m .500 500m 1000E 1e21";

#[test]
fn vectors() {
    let words: Vec<_> = VECTORS.split_whitespace().collect();
    assert_eq!(words.len() % 2, 0);
    for pair in words.chunks(2) {
        let got = Quantity::parse(pair[0]).map(|q| q.to_string());
        assert_eq!(got.as_deref(), Ok(pair[1]), "{}", pair[0]);
    }
}

#[test]
fn not_quantities() {
    for bad in ["", " ", ".", "+", "-", "1ki", "1K", "1 Gi", "1e", "1e+", "e3", "Ki", "1.2.3", "0x1", "١", "--1"] {
        assert!(Quantity::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(Quantity::parse(" 5Mi\n").map(|q| q.to_string()).as_deref(), Ok("5Mi"));
}

#[test]
fn values_round_up() {
    for (text, value, milli) in [
        ("1", 1, 1000),
        ("1m", 1, 1),
        ("1u", 1, 1),
        ("-1500m", -2, -1500),
        ("1.5Gi", 1_610_612_736, 1_610_612_736_000),
        ("12E", i64::MAX, i64::MAX),
        ("1e40", i64::MAX, i64::MAX),
        ("0", 0, 0),
    ] {
        let q = Quantity::parse(text).unwrap();
        assert_eq!((q.value(), q.milli_value()), (value, milli), "{text}");
    }
}

#[test]
fn divisors_round_up() {
    for (text, divisor, want) in [
        ("15m", "1m", 15),
        ("1500m", "1", 2),
        ("4Mi", "1Ki", 4096),
        ("1G", "1Mi", 954),
        ("0", "1Gi", 0),
        ("1n", "1", 1),
        ("-1500m", "1", -1),
        ("1500m", "-1", -1),
        ("1e40", "1", i64::MAX),
        ("1", "0", 0),
    ] {
        let of = |text| Quantity::parse(text).unwrap();
        assert_eq!(of(text).div_ceil(&of(divisor)), want, "{text} by {divisor}");
    }
}

#[test]
fn rounding_to_milli() {
    for (text, want) in
        [("1500u", "2m"), ("100m", "100m"), ("1.500", "1.500"), ("1.500001", "1501m"), ("0.1Ki", "102400m")]
    {
        assert_eq!(Quantity::parse(text).unwrap().round_up_to_milli().as_str(), want);
    }
}

#[test]
fn sums_and_order() {
    let q = |s| Quantity::parse(s).unwrap();
    assert_eq!(q("500m").plus(&q("1")).as_str(), "1500m");
    assert_eq!(q("0").plus(&q("64Mi")).as_str(), "64Mi");
    assert_eq!(q("64Mi").plus(&q("64Mi")).as_str(), "128Mi");
    assert_eq!(q("1"), q("1000m"));
    assert!(q("1Ki") > q("1k") && q("-1") < q("0") && q("1e50") > q("1e49") && q("-1e50") < q("-1e49"));
}

proptest! {
    #[test]
    fn printed_text_is_read_back(text in "[+-]?[0-9]{0,12}(\\.[0-9]{0,12})?(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e[0-9]|E-[0-9])") {
        if let Ok(q) = Quantity::parse(&text) {
            let again = Quantity::parse(q.as_str()).unwrap();
            prop_assert_eq!(&again, &q, "{} {}", q.as_str(), again.as_str());
            prop_assert_eq!(again.as_str(), q.as_str());
        }
    }

    #[test]
    fn nothing_panics(a in "[-+0-9.eEinumkKMGTP]{0,60}", b in "[0-9]{1,40}[.eE][-+0-9]{0,40}(Ei)?") {
        if let (Ok(a), Ok(b)) = (Quantity::parse(&a), Quantity::parse(&b)) {
            let sum = a.plus(&b);
            let _ = (a.cmp(&b), sum.round_up_to_milli(), sum.value(), sum.milli_value());
        }
    }
}
