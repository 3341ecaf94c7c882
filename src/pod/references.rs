//! References to objects of the API server, which a static pod may not have.
//!
//! Source: `kubernetes/kubernetes pkg/api/pod/util.go` (HasAPIObjectReference), on by default since 1.34 (gate
//! PreventStaticPodAPIReferences).

use super::validate::place::Place;
use super::validate::report::Report;

const SECRET: &str = "SecretReference";
const CONFIG_MAP: &str = "ConfigMapReference";
const USE_FILE: &str = "keep the data in a file on the node and mount it with a hostPath volume";
const USE_VALUE: &str = "write the value into the manifest, or keep it in a file on the node and mount that";

/// Volume types with a secret of their own, and where they name it.
const VOLUME_SECRETS: [(&str, &str); 7] = [
    ("cephfs", "secretRef"),
    ("cinder", "secretRef"),
    ("flexVolume", "secretRef"),
    ("iscsi", "secretRef"),
    ("rbd", "secretRef"),
    ("scaleIO", "secretRef"),
    ("storageos", "secretRef"),
];

/// Volume types that are references themselves: type, reason, the kubelet's word for it, what to do.
const VOLUMES: [(&str, &str, &str, &str); 7] = [
    ("configMap", CONFIG_MAP, "configmaps (via configmap volumes)", USE_FILE),
    ("secret", SECRET, "secrets (via secret volumes)", USE_FILE),
    ("csi", "CSIReference", "csidrivers (via CSI volumes)", "use a hostPath or other in-line volume"),
    ("glusterfs", "EndpointsReference", "endpoints (via glusterFS volumes)", "mount it on the node, use hostPath"),
    ("persistentVolumeClaim", "ClaimReference", "persistentvolumeclaims", "use a hostPath volume"),
    ("ephemeral", "ClaimReference", "persistentvolumeclaims (via ephemeral volumes)", "use an emptyDir volume"),
    ("azureFile", SECRET, "secrets (via azureFile volumes)", "mount the share on the node and use hostPath"),
];

/// Sources of projected volumes that are references.
const PROJECTED: [(&str, &str, &str); 5] = [
    ("configMap", CONFIG_MAP, "configmaps (via projected volumes)"),
    ("secret", SECRET, "secrets (via projected volumes)"),
    ("serviceAccountToken", "ServiceAccountReference", "serviceaccounts (via projected volumes)"),
    ("clusterTrustBundle", "ClusterTrustBundleReference", "clustertrustbundles"),
    ("podCertificate", "PodCertificateReference", "podcertificates"),
];

/// Reports every reference in a pod as it is written (before defaults).
pub fn check(pod: &Place<'_>, out: &mut Report) {
    let spec = pod.at("spec");
    for field in ["serviceAccountName", "serviceAccount"] {
        let place = spec.at(field);
        if !place.is_empty() {
            refuse(&place, "ServiceAccountReference", "serviceaccounts", "remove the field", out);
        }
    }
    for secret in spec.at("imagePullSecrets").items() {
        let advice = "give the container runtime the registry's credentials, or load the image onto the node";
        refuse_named(&secret.at("name"), SECRET, "secrets", advice, out);
    }
    for list in ["initContainers", "containers"] {
        for container in spec.at(list).items() {
            environment(&container, out);
        }
    }
    let claims = spec.at("resourceClaims");
    if !claims.is_empty() {
        refuse(&claims, "ResourceClaimReference", "resourceclaims", "remove the field", out);
    }
    for volume in spec.at("volumes").items() {
        check_volume(&volume, out);
    }
}

fn refuse(place: &Place<'_>, reason: &'static str, what: &str, advice: &str, out: &mut Report) {
    out.error(place, reason, format!("static pods may not reference {what}; {advice}"));
}

/// A reference counts only when it names something.
fn refuse_named(name: &Place<'_>, reason: &'static str, what: &str, advice: &str, out: &mut Report) {
    if !name.is_empty() {
        refuse(name, reason, what, advice, out);
    }
}

fn environment(container: &Place<'_>, out: &mut Report) {
    for variable in container.at("env").items() {
        let from = variable.at("valueFrom");
        refuse_named(&from.at("secretKeyRef").at("name"), SECRET, "secrets", USE_VALUE, out);
        refuse_named(&from.at("configMapKeyRef").at("name"), CONFIG_MAP, "configmaps", USE_VALUE, out);
    }
    for source in container.at("envFrom").items() {
        refuse_named(&source.at("secretRef").at("name"), SECRET, "secrets", USE_VALUE, out);
        refuse_named(&source.at("configMapRef").at("name"), CONFIG_MAP, "configmaps", USE_VALUE, out);
    }
}

fn check_volume(volume: &Place<'_>, out: &mut Report) {
    for (kind, field) in VOLUME_SECRETS {
        refuse_named(&volume.at(kind).at(field).at("name"), SECRET, "secrets", USE_FILE, out);
    }
    for (kind, reason, what, advice) in VOLUMES {
        let place = volume.at(kind);
        if place.present() {
            refuse(&place, reason, what, advice, out);
        }
    }
    for source in volume.at("projected").at("sources").items() {
        if let Some((kind, reason, what)) = PROJECTED.into_iter().find(|(kind, ..)| source.at(kind).present()) {
            refuse(&source.at(kind), reason, what, USE_FILE, out);
        } else if !source.at("downwardAPI").present() {
            let name = volume.at("name").text();
            let message = format!("unknown source for projected volume {name:?}; a static pod may use downwardAPI");
            out.error(&source, "UnknownProjection", message);
        }
    }
}
