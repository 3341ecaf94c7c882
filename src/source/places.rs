//! Where the sources look: what an option names, or what the node's distribution has, asked anew at each look.

use std::io;
use std::path;
use std::sync::Arc;

use super::config::{KubeletChoice, SocketChoice, SourcesConfig};
use super::cri;
use super::discovery::node::{Decided, Node};
use super::discovery::node_name::{self, NodeName};
use super::manifests::Locate as LocateManifests;
use crate::store::contacts::Contacts;
use crate::store::update::SourceId;

/// Each full look of the manifests also looks for the node's name again.
pub(super) fn manifests(
    config: &SourcesConfig,
    node: &Node,
    names: &Arc<NodeName>,
    contacts: &Arc<Contacts>,
) -> io::Result<LocateManifests> {
    let fixed = config.manifest_path.as_deref().map(path::absolute).transpose()?;
    let (node, names, root) = (node.clone(), Arc::clone(names), config.root.clone());
    let contacts = Arc::clone(contacts);
    Ok(Box::new(move || {
        let decided = node.decide();
        contacts.took_for(decided.distribution.name, &decided.why());
        match &fixed {
            Some(_) => contacts.found(SourceId::File, "named by --pod-manifest-path"),
            None => contacts.found(SourceId::File, &decided.manifests_from()),
        }
        node_name::on_disk(&decided, &root).into_iter().for_each(|found| names.offer(found));
        fixed.clone().or_else(|| decided.manifests())
    }))
}

pub(super) fn runtime(endpoint: &SocketChoice, node: Node, contacts: &Arc<Contacts>) -> cri::Locate {
    let contacts = Arc::clone(contacts);
    match endpoint.clone() {
        SocketChoice::Unix(path) => {
            contacts.found(SourceId::Runtime, "named by --container-runtime-endpoint");
            let sockets = cri::Sockets { candidates: vec![path], expected: true };
            Box::new(move || sockets.clone())
        }
        SocketChoice::Auto | SocketChoice::None => Box::new(move || {
            let decided = node.decide();
            contacts.found(SourceId::Runtime, &decided.runtime_from());
            decided.runtime()
        }),
    }
}

pub(super) fn kubelet(config: &SourcesConfig, decided: &Decided) -> String {
    match &config.kubelet_endpoint {
        KubeletChoice::Unix(_) | KubeletChoice::Http(_) => "named by --kubelet-endpoint".into(),
        KubeletChoice::Auto | KubeletChoice::None => {
            format!("where a kubelet of a {} node serves", decided.distribution.name)
        }
    }
}
