//! Rules about the spec, and about several places in it.

use super::{accepted, in_container, in_spec, read, refused, text, CONTAINER, HEAD};

#[test]
fn spec_rules() {
    let cases = [
        ("volumes: [{emptyDir: {}}]", "Required", "volumes[0].name"),
        ("volumes: [{name: A}]", "InvalidName", "volumes[0].name"),
        ("volumes: [{name: a}, {name: a}]", "DuplicateName", "volumes[1].name"),
        ("volumes: [{name: a, emptyDir: {}, hostPath: {path: /a}}]", "TooManySources", "volumes[0].emptyDir"),
        ("volumes: [{name: a, emptyDir: {sizeLimit: -1}}]", "InvalidResource", "volumes[0].emptyDir.sizeLimit"),
        ("volumes: [{name: a, hostPath: {}}]", "Required", "volumes[0].hostPath.path"),
        ("volumes: [{name: a, hostPath: {path: /a/../b}}]", "InvalidPath", "volumes[0].hostPath.path"),
        ("volumes: [{name: a, hostPath: {path: /a, type: Dir}}]", "UnsupportedValue", "volumes[0].hostPath.type"),
        ("volumes: [{name: a, nfs: {server: s, path: p}}]", "InvalidPath", "volumes[0].nfs.path"),
        ("volumes: [{name: a, iscsi: {iqn: iqn.2001-04.com.example:a, lun: 0}}]", "Required", "volumes[0].iscsi.targetPortal"),
        ("volumes: [{name: a, image: {pullPolicy: Always}}]", "Required", "volumes[0].image.reference"),
        ("volumes: [{name: a, downwardAPI: {defaultMode: 512}}]", "InvalidMode", "volumes[0].downwardAPI.defaultMode"),
        ("volumes: [{name: a, downwardAPI: {items: [{path: p}]}}]", "Required", "volumes[0].downwardAPI.items[0]"),
        (
            "volumes: [{name: a, downwardAPI: {items: [{path: ../p, fieldRef: {fieldPath: metadata.name}}]}}]",
            "InvalidPath",
            "volumes[0].downwardAPI.items[0].path",
        ),
        (
            "volumes: [{name: a, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: spec.nodeName}}]}}]",
            "UnsupportedValue",
            "volumes[0].downwardAPI.items[0].fieldRef.fieldPath",
        ),
        (
            "volumes: [{name: a, downwardAPI: {items: [{path: p, resourceFieldRef: {resource: limits.cpu}}]}}]",
            "Required",
            "volumes[0].downwardAPI.items[0].resourceFieldRef.containerName",
        ),
        ("volumes: [{name: a, secret: {secretName: s}}]", "SecretReference", "volumes[0].secret"),
        ("volumes: [{name: a, configMap: {name: s}}]", "ConfigMapReference", "volumes[0].configMap"),
        ("volumes: [{name: a, persistentVolumeClaim: {claimName: s}}]", "ClaimReference", "volumes[0].persistentVolumeClaim"),
        ("volumes: [{name: a, ephemeral: {}}]", "ClaimReference", "volumes[0].ephemeral"),
        ("volumes: [{name: a, csi: {driver: d}}]", "CSIReference", "volumes[0].csi"),
        ("volumes: [{name: a, glusterfs: {endpoints: e, path: p}}]", "EndpointsReference", "volumes[0].glusterfs"),
        ("volumes: [{name: a, azureFile: {secretName: e, shareName: p}}]", "SecretReference", "volumes[0].azureFile"),
        ("volumes: [{name: a, cephfs: {monitors: [m], secretRef: {name: s}}}]", "SecretReference", "volumes[0].cephfs.secretRef.name"),
        ("volumes: [{name: a, projected: {sources: [{secret: {name: s}}]}}]", "SecretReference", "volumes[0].projected.sources[0].secret"),
        (
            "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: t}}]}}]",
            "ServiceAccountReference",
            "volumes[0].projected.sources[0].serviceAccountToken",
        ),
        (
            "volumes: [{name: a, projected: {sources: [{clusterTrustBundle: {path: t}}]}}]",
            "ClusterTrustBundleReference",
            "volumes[0].projected.sources[0].clusterTrustBundle",
        ),
        ("volumes: [{name: a, projected: {sources: [{}]}}]", "UnknownProjection", "volumes[0].projected.sources[0]"),
        ("serviceAccountName: sa", "ServiceAccountReference", "serviceAccountName"),
        ("serviceAccount: sa", "ServiceAccountReference", "serviceAccount"),
        ("imagePullSecrets: [{name: s}]", "SecretReference", "imagePullSecrets[0].name"),
        ("resourceClaims: [{name: c, resourceClaimName: d}]", "ResourceClaimReference", "resourceClaims"),
        ("ephemeralContainers: [{name: e, image: i}]", "EphemeralContainers", "ephemeralContainers"),
        ("schedulingGates: [{name: g}]", "SchedulingGates", "schedulingGates"),
        ("restartPolicy: always", "UnsupportedValue", "restartPolicy"),
        ("dnsPolicy: ClusterLast", "UnsupportedValue", "dnsPolicy"),
        ("dnsPolicy: None", "Required", "dnsConfig"),
        ("dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}", "InvalidDNS", "dnsConfig.nameservers"),
        ("dnsConfig: {nameservers: [dns]}", "InvalidAddress", "dnsConfig.nameservers[0]"),
        ("dnsConfig: {searches: [-a]}", "InvalidDNS", "dnsConfig.searches[0]"),
        ("dnsConfig: {options: [{value: a}]}", "Required", "dnsConfig.options[0].name"),
        ("activeDeadlineSeconds: 0", "OutOfRange", "activeDeadlineSeconds"),
        ("hostname: A", "InvalidName", "hostname"),
        ("subdomain: a.b", "InvalidName", "subdomain"),
        ("priorityClassName: A", "InvalidName", "priorityClassName"),
        ("runtimeClassName: A", "InvalidName", "runtimeClassName"),
        ("preemptionPolicy: Always", "UnsupportedValue", "preemptionPolicy"),
        ("os: {name: plan9}", "UnsupportedValue", "os.name"),
        ("overhead: {cpu: -1}", "InvalidResource", "overhead[cpu]"),
        ("resources: {limits: {ephemeral-storage: 1}}", "InvalidResource", "resources.limits[ephemeral-storage]"),
        ("nodeSelector: {-a: b}", "InvalidLabel", "nodeSelector[-a]"),
        ("nodeSelector: {a: b c}", "InvalidLabel", "nodeSelector[a]"),
        ("tolerations: [{operator: Equal}]", "InvalidToleration", "tolerations[0].operator"),
        ("tolerations: [{key: a, operator: Maybe}]", "UnsupportedValue", "tolerations[0].operator"),
        ("tolerations: [{key: a, operator: Exists, value: b}]", "InvalidToleration", "tolerations[0].value"),
        ("tolerations: [{key: a, effect: Never}]", "UnsupportedValue", "tolerations[0].effect"),
        ("tolerations: [{key: a, tolerationSeconds: 1}]", "InvalidToleration", "tolerations[0].effect"),
        ("tolerations: [{key: '-', operator: Exists}]", "InvalidLabel", "tolerations[0].key"),
        ("hostAliases: [{ip: a}]", "InvalidAddress", "hostAliases[0].ip"),
        ("hostAliases: [{ip: 1.1.1.1, hostnames: [A_b]}]", "InvalidName", "hostAliases[0].hostnames[0]"),
        ("readinessGates: [{conditionType: '-'}]", "InvalidName", "readinessGates[0].conditionType"),
        ("securityContext: {fsGroup: -1}", "OutOfRange", "securityContext.fsGroup"),
        ("securityContext: {supplementalGroups: [-1]}", "OutOfRange", "securityContext.supplementalGroups[0]"),
        ("securityContext: {fsGroupChangePolicy: Never}", "UnsupportedValue", "securityContext.fsGroupChangePolicy"),
        ("securityContext: {sysctls: [{name: A, value: b}]}", "InvalidName", "securityContext.sysctls[0].name"),
        ("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}", "Required",
         "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"),
        (
            "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, preference: {}}]}}",
            "OutOfRange",
            "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",
        ),
        (
            "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}",
            "Required",
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
        ),
        (
            "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]",
            "OutOfRange",
            "topologySpreadConstraints[0].maxSkew",
        ),
    ];
    for (line, reason, field) in cases {
        // What is missing at the level of the spec is placed where the spec begins.
        let at = if field == "dnsConfig" { 5 } else { 6 };
        refused(&in_spec(line), reason, &format!("spec.{field}"), at);
    }
    for line in [
        "volumes: [{name: a}, {name: b, hostPath: {path: /b, type: ''}}, {name: c, emptyDir: {medium: Memory}}]",
        "volumes: [{name: a, nfs: {server: s, path: /p}}, {name: b, image: {reference: 'i:1'}}]",
        "volumes: [{name: a, projected: {sources: [{downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.uid}}]}}]}}]",
        "serviceAccountName: ''",
        "imagePullSecrets: [{}]",
        "automountServiceAccountToken: false",
        "priorityClassName: system-node-critical",
        "dnsConfig: {nameservers: [1.1.1.1], searches: [a_b.c., .], options: [{name: ndots, value: '2'}]}",
        "tolerations: [{operator: Exists}, {key: a, value: b, effect: NoExecute, tolerationSeconds: 0}]",
        "terminationGracePeriodSeconds: 0",
        "securityContext: {sysctls: [{name: net.ipv4.ip_forward, value: '1'}], runAsNonRoot: true}",
        "nodeSelector: {kubernetes.io/hostname: ''}",
        "hostAliases: [{ip: '::1', hostnames: [a.b]}]",
        "nodeName: other",
    ] {
        accepted(&in_spec(line));
    }
}

#[test]
fn rules_over_several_places() {
    refused(HEAD, "Required", "spec.containers", 5);
    refused(&format!("{HEAD}  containers: []\n"), "Required", "spec.containers", 6);
    refused(&format!("{HEAD}  containers:\n  - image: i\n"), "Required", "spec.containers[0].name", 7);
    refused(&format!("{HEAD}  containers:\n  - name: a\n"), "Required", "spec.containers[0].image", 7);
    let padded = format!("{HEAD}{CONTAINER}").replace("image: i", "image: ' i'");
    refused(&padded, "InvalidImage", "spec.containers[0].image", 8);
    let twice = format!("{HEAD}{CONTAINER}  - name: a\n    image: i\n");
    refused(&twice, "DuplicateName", "spec.containers[1].name", 9);
    let named = |name: &str| format!("{HEAD}{CONTAINER}").replace("name: a", &format!("name: {name}"));
    refused(&named("A"), "InvalidName", "spec.containers[0].name", 7);
    refused(&named("a.b"), "InvalidName", "spec.containers[0].name", 7);

    let ports = "ports: [{containerPort: 80, hostPort: 81}]";
    let host = in_container(ports).replace("spec:\n", "spec:\n  hostNetwork: true\n");
    refused(&host, "InvalidPort", "spec.containers[0].ports[0].hostPort", 10);
    // The port of the node was filled in, so the finding stands at the port as a whole.
    let conflict = format!("{HEAD}  hostNetwork: true\n  containers:\n  - name: a\n    image: i\n    ports:\n    - containerPort: 80\n  - name: b\n    image: i\n    ports:\n    - containerPort: 80\n");
    refused(&conflict, "PortConflict", "spec.containers[1].ports[0].hostPort", 15);

    let mounts = |mounts: &str| in_container(&format!("volumeMounts: [{mounts}]\n  volumes: [{{name: v}}]"));
    accepted(&mounts("{name: v, mountPath: /a, subPath: b/c}"));
    let at = |field: &str| format!("spec.containers[0].volumeMounts[0].{field}");
    refused(&mounts("{name: v}"), "Required", &at("mountPath"), 9);
    refused(&mounts("{name: v, mountPath: /a, subPath: /b}"), "InvalidPath", &at("subPath"), 9);
    refused(&mounts("{name: v, mountPath: /a, subPath: ../b}"), "InvalidPath", &at("subPath"), 9);
    refused(&mounts("{name: v, mountPath: /a, subPath: b, subPathExpr: c}"), "InvalidPath", &at("subPathExpr"), 9);
    refused(
        &mounts("{name: v, mountPath: /a, mountPropagation: Bidirectional}"),
        "NotPrivileged",
        &at("mountPropagation"),
        9,
    );
    refused(
        &mounts("{name: v, mountPath: /a, recursiveReadOnly: Enabled}"),
        "InvalidMount",
        &at("recursiveReadOnly"),
        9,
    );
    let twice = mounts("{name: v, mountPath: /a}, {name: v, mountPath: /a}");
    refused(&twice, "DuplicatePath", "spec.containers[0].volumeMounts[1].mountPath", 9);
    let limit = read("f", in_container("resources: {limits: {gpu: 1}}").as_bytes());
    assert_eq!(limit.findings.len(), 1, "the request made from the limit is not told again: {}", text(&limit));
    let device = in_container("volumeDevices: [{name: v, devicePath: /d}]\n  volumes: [{name: v}]");
    refused(&device, "InvalidVolume", "spec.containers[0].volumeDevices[0].name", 9);

    let both = in_spec("hostPID: true").replace("spec:\n", "spec:\n  shareProcessNamespace: true\n");
    refused(&both, "InvalidSecurity", "spec.shareProcessNamespace", 6);
    let sysctl = in_spec("hostNetwork: true\n  securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}]}");
    refused(&sysctl, "InvalidSecurity", "spec.securityContext.sysctls[0].name", 7);
}
