//! Reasons for which a kubelet lets a container wait.
//!
//! Only a kubelet (or the API server) tells them: they are not in the runtime. Source: `kubernetes/kubernetes
//! pkg/kubelet/images/types.go`, `pkg/kubelet/container/sync_result.go`, `pkg/kubelet/kuberuntime`.

/// Reason, what it means, what to do.
const TABLE: [(&str, &str, &str); 15] = [
    ("CrashLoopBackOff", "ends again and again, so its next start is put off", ""),
    ("ErrImagePull", "has no image: pulling it failed", PULL),
    ("ImagePullBackOff", "has no image: pulling it failed and is tried again later", PULL),
    ("ErrImageNeverPull", "has no image, and imagePullPolicy Never forbids to pull it", LOAD),
    ("RegistryUnavailable", "has no image: its registry does not answer", PULL),
    (
        "SignatureValidationFailed",
        "has an image whose signature is refused",
        "sign it, or correct the runtime's policy",
    ),
    ("InvalidImageName", "names an image that cannot be", "correct 'image': REGISTRY/NAME:TAG, the name in lower case"),
    (
        "ImageInspectError",
        "has an image that the runtime cannot read",
        "remove the image from the node and pull it again",
    ),
    ("CreateContainerConfigError", "cannot be made as its spec says", CONFIG),
    ("CreateContainerError", "was refused by the runtime", "the message names the cause; the runtime's log has more"),
    ("RunContainerError", "was made and could not be started", "check 'command', mounts and devices"),
    ("PreCreateHookError", "was stopped by a hook before it was made", "the message names the hook"),
    ("PreStartHookError", "was stopped by a hook before its start", "the message names the hook"),
    ("PostStartHookError", "was killed because its postStart hook failed", "try the hook's command in the container"),
    ("FailedSync", "could not be brought to what its spec says", "the kubelet's log has more"),
];

const PULL: &str = "check the name and tag, the registry and its credentials; without a network load the image on the \
                    node: 'ctr -n k8s.io images import FILE'";
const LOAD: &str =
    "load the image on the node: 'ctr -n k8s.io images import FILE'; or write imagePullPolicy: IfNotPresent";
const CONFIG: &str = "a config map, secret, key or user that the spec names does not exist";

/// What a reason means and what to do about it; nothing for the two that only say that it is not there yet.
#[must_use]
pub fn meaning(reason: &str) -> Option<(&'static str, &'static str)> {
    TABLE.into_iter().find(|(r, ..)| *r == reason).map(|(_, what, advice)| (what, advice))
}

/// Reasons that say no more than "not yet".
#[must_use]
pub fn is_not_yet(reason: &str) -> bool {
    matches!(reason, "" | "ContainerCreating" | "PodInitializing")
}
