//! Any text as a pod query: it is one, or the error has a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nodepods::query::view::PodView;
use nodepods::query::Query;

fuzz_target!(|text: &str| match Query::parse(text) {
    Ok(query) => {
        assert!(query.conditions.iter().all(|condition| !condition.tests.is_empty()), "a condition asks for something");
        let mut pod = PodView::default();
        pod.uid = "1d591f87-c631-49c3-9398-aafcfd709636";
        (pod.name, pod.namespace) = ("web", "default");
        pod.labels = vec![("app", "web"), ("tier", "")];
        pod.containers = vec!["main", "side"];
        let selected = query.selects(&pod);
        assert!(selected || !query.conditions.is_empty(), "an empty query selects everything");
    }
    Err(e) => assert!((1..=text.chars().count() + 1).contains(&e.position), "{e}"),
});
