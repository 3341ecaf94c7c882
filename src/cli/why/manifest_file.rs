//! The pod of a manifest that is named by its file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnosis::NodeFacts;
use crate::pod::finding::MAX_FILE_BYTES;
use crate::pod::manifest;
use crate::pod::static_pod::pod_name;

/// `NAMESPACE/NAME` of the pod that the manifest `word` asks for: a path, or the name of a file in the daemon's
/// directory. `None` where there is no such file, or it asks for none.
#[must_use]
pub fn pod_of(word: &str, facts: &NodeFacts) -> Option<String> {
    let directory = facts.sources.iter().find(|s| s.name == "file").map(|s| Path::new(&s.target));
    let beside = directory.filter(|_| !word.contains('/')).map(|directory| directory.join(word));
    let candidates: Vec<PathBuf> = beside.into_iter().chain([PathBuf::from(word)]).collect();
    let path =
        candidates.into_iter().find(|p| fs::metadata(p).is_ok_and(|m| m.is_file() && m.len() <= MAX_FILE_BYTES))?;
    let pod = manifest::read(word, &fs::read(path).ok()?).pod?;
    Some(format!("{}/{}", pod.namespace, pod_name(&pod.name, &facts.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::SourceFact;
    use crate::store::update::HealthState;

    #[test]
    fn a_file_leads_to_its_pod() {
        let dir = std::env::temp_dir().join(format!("nodepods-why-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: front}\nspec: {containers: [{name: a, image: i}]}\n";
        fs::write(dir.join("web.yaml"), text).unwrap();
        fs::write(dir.join("broken.yaml"), "{").unwrap();
        let source = SourceFact {
            name: "file".into(),
            state: HealthState::Up,
            target: dir.to_string_lossy().into_owned(),
            error: String::new(),
            since: 0,
        };
        let facts = NodeFacts { name: "N1".into(), sources: vec![source], ..NodeFacts::default() };
        let path = dir.join("web.yaml").to_string_lossy().into_owned();
        let found = [path.as_str(), "web.yaml", "broken.yaml", "none.yaml", ""].map(|word| pod_of(word, &facts));
        fs::remove_dir_all(&dir).unwrap();
        let front = Some("default/front-n1".to_owned());
        assert_eq!(found, [front.clone(), front, None, None, None]);
    }
}
