use serde_json::json;

use super::*;

fn list() -> Value {
    json!({
        "kind": "List",
        "items": [
            {
                "metadata": {"name": "web", "labels": {"app": "x", "app.kubernetes.io/name": "front"}},
                "spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]},
                "status": {
                    "phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "False"}],
                    "containerStatuses": [{"name": "a", "restartCount": 0}, {"name": "b", "restartCount": 7, "ready": true}]
                }
            },
            {"metadata": {"name": "db"}, "spec": {"containers": [{"name": "c", "image": "c<1"}]}, "status": {"phase": "Pending"}}
        ]
    })
}

/// Examples of the Kubernetes documentation ("JSONPath support") and of everyday use.
#[test]
fn templates_of_kubectl() {
    let list = list();
    let first = &list["items"][0];
    let table = [
        ("{.items[*].metadata.name}", "web db"),
        ("{.items[0].metadata.name}", "web"),
        ("{.items[-1].metadata.name}", "db"),
        ("{.items[0:1].metadata.name}", "web"),
        ("{.items[:].metadata.name}", "web db"),
        ("{.items[0:2:2].metadata.name}", "web"),
        ("{.items[-1:].metadata.name}", "db"),
        ("{.items[1:1].metadata.name}", ""),
        ("{.items[0]['metadata']['name']}", "web"),
        ("{$.items[0].metadata.name}", "web"),
        ("{.items[0].metadata.name} is {.items[0].status.phase}\n", "web is Running\n"),
        ("{range .items[*]}{.metadata.name}{\"\\t\"}{.status.phase}{\"\\n\"}{end}", "web\tRunning\ndb\tPending\n"),
        ("{range .items[*]}[{.metadata.name}, {.missing}] {end}!", "[web, ] [db, ] !"),
        ("{range .items[*]}{range .spec.containers[*]}{.name}{end};{end}", "ab;c;"),
        ("{.items[*]['metadata.name', 'status.phase']}", "web db Running Pending"),
        ("{.items[*].metadata.labels['app.kubernetes.io/name']}", "front"),
        ("{.items[*].metadata['name','missing']}", "web db"),
        ("{.items[0,1].metadata.name}", "web db"),
        ("{..image}", "a:1 b:1 c<1"),
        ("{.items[*].spec.containers[*].image}", "a:1 b:1 c<1"),
        ("{.items[?(@.metadata.name==\"db\")].status.phase}", "Pending"),
        ("{.items[?(@.metadata.name != 'db')].status.phase}", "Running"),
        ("{.items[?(@.metadata.labels)].metadata.name}", "web"),
        ("{.items[0].status.conditions[?(@.type==\"Ready\")].status}", "True"),
        ("{.items[0].status.containerStatuses[?(@.restartCount>3)].name}", "b"),
        ("{.items[0].status.containerStatuses[?(@.restartCount<=0)].name}", "a"),
        ("{.items[0].status.containerStatuses[?(@.ready==true)].name}", "b"),
        ("{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "front"),
        ("{.items[0].metadata.labels['app\\.kubernetes\\.io/name']}", "front"),
        ("{.items[1].spec}", r#"{"containers":[{"image":"c\u003c1","name":"c"}]}"#),
        ("{.items[*].metadata.labels.app}", "x"),
        ("{.nothing.here}", ""),
        ("{ .kind }", "List"),
        ("{.kind}{'\\n'}", "List\n"),
        ("plain", "plain"),
        (".kind", "List"),
        ("{.items[0].status.containerStatuses[*].restartCount}", "0 7"),
    ];
    for (template, want) in table {
        let parsed = Template::parse(template).unwrap_or_else(|e| panic!("{template}: {e}"));
        assert_eq!(parsed.print(&list).as_deref(), Ok(want), "{template}");
    }
    assert_eq!(Template::parse("{.metadata.name}").unwrap().print(first).as_deref(), Ok("web"));
    assert_eq!(Template::parse("{@.metadata.name}").unwrap().print(first).as_deref(), Ok("web"));
}

#[test]
fn expressions_of_columns_and_sorting() {
    let list = list();
    for text in
        [".items[0].metadata.name", "items[0].metadata.name", "{.items[0].metadata.name}", "{items[0].metadata.name}"]
    {
        let path = Path::relaxed(text).unwrap();
        assert_eq!(path.find(&list), Ok(vec![&json!("web")]), "{text}");
    }
    for bad in ["", "{}", "{.a", "x}"] {
        assert!(Path::relaxed(bad).is_err(), "{bad}");
    }
}

#[test]
fn errors_say_where() {
    let table = [
        ("{.a", 1, "unclosed action"),
        ("{range .items[*]}{.a}", 1, "unclosed range, {end} is missing"),
        ("x{end}", 2, "{end} without {range}"),
        ("{.items[}", 9, "an index, a slice"),
        ("{.items[0}", 8, "unterminated array"),
        ("{.items[?(@.a==\"b\"]}", 19, "unexpected"),
        ("{.items[?(@.a=~\"b\")]}", 15, "unknown operator ="),
        ("{.items[?(@.a=\"b\")]}", 15, "unknown operator ="),
        ("{.items[?@.a]}", 9, "a filter is written as"),
        ("{\"abc}", 2, "unterminated quoted string"),
        ("{metadata.name}", 2, "unrecognized identifier metadata"),
        ("{.items[0:2:0]}", 9, "an index"),
        ("{.a}}{.b}{", 10, "unclosed action"),
    ];
    for (template, column, want) in table {
        let error = Template::parse(template).map(|t| panic!("{template}: {t:?}")).unwrap_err();
        assert_eq!(error.column, Some(column), "{template}: {error}");
        assert!(error.problem.contains(want), "{template}: {error}");
    }
    let list = list();
    for (template, want) in [
        ("{.items[5]}", "array index out of bounds: index 5, length 2"),
        ("{.items[0:9]}", "array index out of bounds"),
        ("{.kind[0]}", "an index needs a list, but finds text"),
        ("{.items[?(@.metadata.name>3)]}", "cannot compare text with a number"),
        ("{.items[?(@..image=='x')]}", "one element at a time"),
    ] {
        let error = Template::parse(template).unwrap().print(&list).unwrap_err();
        assert!(error.column.is_none() && error.problem.contains(want), "{template}: {error}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is typed: an answer or an error, and the error is at a place in the text.
        #[test]
        fn nothing_typed_breaks_it(text in "[{}\\[\\].*?@$a-c0-9:,'\"\\\\ ()<>=!|rangeend-]{0,40}") {
            match Template::parse(&text) {
                Ok(template) => drop(template.print(&list())),
                Err(e) => prop_assert!(e.column.is_some_and(|c| c <= text.chars().count() + 1), "{}", e),
            }
        }
    }
}
