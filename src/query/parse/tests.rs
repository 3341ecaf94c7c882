use super::*;
use crate::query::label::{Kind, LABELS};
use proptest::prelude::*;

/// The pieces of a query: each label as it is spelled, and its values.
fn pieces(text: &str) -> Vec<(String, Vec<String>)> {
    let read = |pair| {
        let (label, list) = read_pair(pair).unwrap_or_else(|(at, problem)| panic!("{text}: {at} {problem:?}"));
        (label.name().to_owned(), split_values(list).iter().map(|v| v.text.to_owned()).collect())
    };
    split_pairs(text).into_iter().map(read).collect()
}

fn refused(text: &str) -> (usize, Problem) {
    match Query::parse(text) {
        Err(e) => (e.position, e.problem),
        Ok(query) => panic!("{text}: {query:?}"),
    }
}

#[test]
fn conditions_and_values() {
    for (text, want) in [
        ("Namespace:default", &[("Namespace", &["default"][..])][..]),
        ("namespace:default", &[("Namespace", &["default"])]),
        ("  Namespace : default  ", &[("Namespace", &["default"])]),
        ("Namespace:a,b", &[("Namespace", &["a", "b"])]),
        ("Namespace:a, b", &[("Namespace", &["a", " b"])]),
        ("Namespace:\"a,b\",c", &[("Namespace", &["\"a,b\"", "c"])]),
        ("Namespace:a+Pod Name:b", &[("Namespace", &["a"]), ("Pod Name", &["b"])]),
        ("Namespace:a + Pod Name:b", &[("Namespace", &["a"]), ("Pod Name", &["b"])]),
        ("Namespace:a+b", &[("Namespace", &["a+b"])]),
        ("Namespace:a+", &[("Namespace", &["a+"])]),
        ("Namespace:a+b+Pod Name:c", &[("Namespace", &["a+b"]), ("Pod Name", &["c"])]),
        ("Namespace:\"a+Pod Name:b\"", &[("Namespace", &["\"a+Pod Name:b\""])]),
        ("Namespace:\"a+Pod Name:b", &[("Namespace", &["\"a+Pod Name:b"])]),
        ("Container Image Digest:sha256:ab", &[("Container Image Digest", &["sha256:ab"])]),
        (
            "Namespace:a+Container Image Digest:sha256:ab,sha256:cd+Node:n",
            &[("Namespace", &["a"]), ("Container Image Digest", &["sha256:ab", "sha256:cd"]), ("Node", &["n"])],
        ),
        // What a + becomes that was not escaped in a URL.
        ("Namespace:default Pod Name:web", &[("Namespace", &["default"]), ("Pod Name", &["web"])]),
        ("Pod ID:*  Deployment ID:-", &[("Pod ID", &["*"]), ("Deployment ID", &["-"])]),
        ("Namespace:a Nothing:b", &[("Namespace", &["a Nothing:b"])]),
        ("Namespace:\"a Node:b\"", &[("Namespace", &["\"a Node:b\""])]),
    ] {
        let want: Vec<(String, Vec<String>)> =
            want.iter().map(|(l, v)| (l.to_string(), v.iter().map(ToString::to_string).collect())).collect();
        assert_eq!(pieces(text), want, "{text}");
    }
}

#[test]
fn an_empty_query_selects_everything() {
    for text in ["", " ", "   "] {
        assert!(Query::parse(text).unwrap().conditions.is_empty());
    }
}

#[test]
fn of_two_conditions_on_one_label_the_last_counts() {
    let query = Query::parse("Namespace:a+Node:n+NAMESPACE:b,c").unwrap();
    let labels: Vec<_> = query.conditions.iter().map(|c| (c.label, c.tests.len())).collect();
    assert_eq!(labels, [(Label::Node, 1), (Label::Namespace, 2)]);
}

#[test]
fn refusals_point_at_the_place() {
    let unknown = |name: &str| Problem::UnknownLabel(name.into());
    for (text, at, problem) in [
        ("Nmespace:x", 1, unknown("Nmespace")),
        ("Namespace:a+Nmespace:x", 13, unknown("Nmespace")),
        ("Namespace:a + Image Tag:x", 15, unknown("Image Tag")),
        (":x", 1, unknown("")),
        ("x", 1, Problem::NoColon("x".into())),
        ("+", 1, Problem::NoColon("+".into())),
        ("x+Namespace:a", 1, Problem::NoColon("x".into())),
        ("Namespace:", 11, Problem::Empty("Namespace")),
        ("Namespace:a,", 13, Problem::Empty("Namespace")),
        ("Namespace:a,,b", 13, Problem::Empty("Namespace")),
        ("Namespace: +Node:n", 11, Problem::Empty("Namespace")),
        ("Node:ää+Pod ID:x", 16, Problem::NotUuid("x".into())),
        ("Node:!!x", 6, Problem::AtLeastOne),
    ] {
        assert_eq!(refused(text), (at, problem), "{text}");
    }
    assert_eq!(refused(&format!("Node:{}", "x".repeat(MAX_BYTES))).1, Problem::TooLong(MAX_BYTES));
    assert_eq!(refused(&format!("Node:{}", "x,".repeat(MAX_VALUES + 1))).1, Problem::TooMany(MAX_VALUES));
    let many = ["r/x"; MAX_REGEXES + 1].join(",");
    assert_eq!(refused(&format!("Node:{many}")).1, Problem::TooManyRegexes(MAX_REGEXES));
}

/// Text made of what the language is made of, which finds more than random characters do.
fn queryish() -> impl Strategy<Value = String> {
    let labels: Vec<&str> = LABELS.iter().map(|(_, name, _)| *name).collect();
    let piece = prop_oneof![
        proptest::sample::select(labels).prop_map(str::to_owned),
        "[:+,\"! *=-]{1,3}",
        "[a-c]{1,3}",
        "r/[a-c(.*]{0,4}",
        "\\PC{0,3}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_a_query_or_an_error_with_a_place_in_it(text in queryish()) {
        match Query::parse(&text) {
            Ok(query) => prop_assert!(query.conditions.iter().all(|c| !c.tests.is_empty())),
            Err(e) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&e.position), "{}", e);
                prop_assert!(e.to_string().len() < 1000);
            }
        }
    }

    #[test]
    fn pieces_are_where_they_say(text in queryish()) {
        for pair in split_pairs(&text) {
            prop_assert_eq!(text.get(pair.start..pair.start + pair.text.len()), Some(pair.text));
            if let Ok((_, list)) = read_pair(pair) {
                for value in split_values(list) {
                    prop_assert_eq!(text.get(value.start..value.start + value.text.len()), Some(value.text));
                }
            }
        }
    }

    #[test]
    fn what_was_joined_comes_apart_again(
        values in proptest::collection::vec(("[a-z]{1,8}", "[a-z]{1,8}"), 1..LABELS.len()), separator in "[+]| ",
    ) {
        let texts = LABELS.iter().filter(|(.., kind)| *kind == Kind::Text);
        let wanted: Vec<_> = texts.zip(&values).map(|((_, name, _), (a, b))| (name.to_string(), vec![a.clone(), b.clone()])).collect();
        let joined: Vec<_> = wanted.iter().map(|(name, values)| format!("{name}:{}", values.join(","))).collect();
        prop_assert_eq!(pieces(&joined.join(&separator)), wanted);
    }
}
