//! What is to be said, put together.

use super::look_up::LookUp;
use super::manifest_file;
use super::wanted::Asked;
use crate::cli::exit::Failure;
use crate::cli::objects;
use crate::codec::pod_bytes::PodBytes;
use crate::diagnosis::{self, Case, NodeFacts, PodFinding, Remark, Weight};
use crate::pod::columns::Columns;
use crate::pod::lookup::text;

/// What is said about one pod.
#[derive(Debug)]
pub struct AboutPod {
    /// As `nodepods get` shows it.
    pub columns: Columns,
    /// `metadata.uid`.
    pub uid: String,
    /// The cause before its effects; none where it runs as it should.
    pub remarks: Vec<Remark>,
}

/// What is said.
#[derive(Debug, Default)]
pub struct Answer {
    /// Names were given: everything about them is said, not only what is wrong.
    pub named: bool,
    /// The pods that were asked for, or all.
    pub pods: Vec<AboutPod>,
    /// Manifests that have no pod.
    pub manifests: Vec<Remark>,
    /// What manifests lose whose pods are there, such as unknown fields; only where everything was asked for.
    pub losses: Vec<Remark>,
    /// The node.
    pub node: Vec<Remark>,
    /// What was asked for and does not exist.
    pub missing: Vec<String>,
}

/// What is known, from which the answer is made.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What the daemon serves.
    pub pods: &'a [PodBytes],
    /// What is wrong in the manifests.
    pub findings: &'a [PodFinding],
    /// The node.
    pub node: &'a NodeFacts,
    /// Looks up what only this machine can tell of a pod.
    pub look_up: &'a LookUp,
    /// Seconds since the epoch.
    pub now: i64,
}

impl Answer {
    /// Looks at what was asked for.
    ///
    /// # Errors
    /// The daemon sent something that is no pod.
    pub fn of(asked: &Asked<'_>, known: &Known<'_>) -> Result<Self, Failure> {
        let named = !asked.words.is_empty();
        let mut answer = Self { named, node: diagnosis::of_node(known.node, known.now), ..Self::default() };
        let mut found = vec![false; asked.words.len()];
        answer.add_pods(asked, known, &mut found)?;
        answer.add_manifests(asked, known, &mut found);
        let missing = asked.words.iter().zip(&found).filter(|(_, found)| !**found).map(|(word, _)| *word);
        answer.missing = missing.map(|word| not_found(word, known.node)).collect();
        Ok(answer)
    }

    /// Pods by their names or the files of their manifests, sorted by namespace and name.
    fn add_pods(&mut self, asked: &Asked<'_>, known: &Known<'_>, found: &mut [bool]) -> Result<(), Failure> {
        let of_files: Vec<_> = asked.words.iter().map(|word| manifest_file::pod_of(word, known.node)).collect();
        for bytes in known.pods {
            let pod = &objects::value(bytes)?;
            let mut meant = false;
            for ((word, file), found) in asked.words.iter().zip(&of_files).zip(&mut *found) {
                let means = |word: &str| asked.means_pod(word, pod, &known.node.name);
                if means(word) || file.as_deref().is_some_and(means) {
                    (meant, *found) = (true, true);
                }
            }
            let columns = Columns::of(bytes, known.now);
            if meant || (!self.named && asked.namespace.is_none_or(|n| n == columns.namespace)) {
                let looked_up = known.look_up.pod(bytes, pod, self.named);
                let Known { findings, node, now, .. } = *known;
                let remarks = diagnosis::of_pod(&Case { pod, findings, node, looked_up: &looked_up, now });
                self.pods.push(AboutPod { columns, uid: text(bytes, "metadata.uid").into_owned(), remarks });
            }
        }
        self.pods.sort_by(|a, b| a.name().cmp(&b.name()));
        Ok(())
    }

    /// Findings in manifests that no pod of the answer tells.
    fn add_manifests(&mut self, asked: &Asked<'_>, known: &Known<'_>, found: &mut [bool]) {
        for finding in known.findings {
            let mut meant = false;
            for (word, found) in asked.words.iter().zip(&mut *found) {
                if asked.means_finding(word, finding, &known.node.name) {
                    (meant, *found) = (true, true);
                }
            }
            let told = self.pods.iter().any(|p| p.name() == (finding.namespace.as_str(), finding.name.as_str()));
            if !told && (meant || (!self.named && asked.namespace.is_none())) {
                self.manifests.push(diagnosis::of_finding(finding));
            } else if told && !self.named && !finding.refuses {
                self.losses.push(diagnosis::of_finding(finding));
            }
        }
    }

    /// Whether something that was asked for is not as it should be. The node's troubles count where everything was
    /// asked for.
    #[must_use]
    pub fn has_trouble(&self) -> bool {
        let node: &[Remark] = if self.named { &[] } else { &self.node };
        let all = self.pods.iter().flat_map(|p| &p.remarks).chain(&self.manifests).chain(node);
        all.into_iter().any(|r| r.weight == Weight::Trouble)
    }
}

impl AboutPod {
    fn name(&self) -> (&str, &str) {
        (&self.columns.namespace, &self.columns.name)
    }
}

/// Where one would look for a pod that nobody knows.
fn not_found(word: &str, facts: &NodeFacts) -> String {
    let mut said = format!("error: there is no pod {word:?} on this node, and no manifest that asks for it");
    let places = facts.sources.iter().filter(|s| !s.target.is_empty() && s.name != "checkpoint");
    let places: Vec<_> = places.map(|s| format!("{} ({})", s.name, s.target)).collect();
    if !places.is_empty() {
        said.push_str(&format!("\nLooked at: {}.", places.join(", ")));
    }
    said.push_str(
        "\n'nodepods get pods' lists what there is; 'nodepods lint FILE' checks a manifest that lies elsewhere.",
    );
    said
}
