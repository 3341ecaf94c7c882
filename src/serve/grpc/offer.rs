//! Which services a server has.

use crate::store::snapshot::Snapshot;

/// What stands on a server's sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Every service.
    WholeNode,
    /// The pods, health and reflection: for a socket that shows less than all.
    PodsAlone,
}

impl Offer {
    /// What a server over the store of this snapshot offers.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        if snapshot.narrow {
            Self::PodsAlone
        } else {
            Self::WholeNode
        }
    }

    /// Whether the service of this full name is among it. Of a name that is no service of ours this says nothing.
    pub(crate) fn has(self, service: &str) -> bool {
        let everywhere = [
            "Pods",
            "v1alpha1.Pods",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ];
        self == Self::WholeNode || everywhere.contains(&service)
    }
}
