//! Every rule by a manifest that breaks it, and the near misses that must pass.

use super::{read, read_list, ManifestFile};
use crate::pod::finding::Severity;

/// Lines 1 to 5; the spec begins in line 6.
const HEAD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n";
/// Lines 6 to 8; a further line of the container is line 9.
const CONTAINER: &str = "  containers:\n  - name: a\n    image: i\n";

fn text(file: &ManifestFile) -> String {
    let lines: Vec<String> = file.findings.iter().map(|f| format!("{:?} {} {f}", f.severity, f.reason)).collect();
    lines.join("\n")
}

fn refused(yaml: &str, reason: &str, field: &str, line: u32) {
    let file = read("web.yaml", yaml.as_bytes());
    assert!(file.pod.is_none(), "accepted:\n{yaml}");
    let errors: Vec<_> = file.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    let found = errors.iter().any(|f| f.reason == reason && f.field == field && f.line == line);
    assert!(found, "want {reason} at {field}, line {line}, in\n{yaml}\ngot\n{}", text(&file));
    for finding in &errors {
        assert!(!finding.message.is_empty() && finding.file == "web.yaml" && finding.line > 0, "{finding:?}");
    }
}

fn accepted(yaml: &str) {
    let file = read("web.yaml", yaml.as_bytes());
    assert!(file.pod.is_some() && file.findings.is_empty(), "{yaml}\n{}", text(&file));
}

/// A line of the container.
fn in_container(line: &str) -> String {
    format!("{HEAD}{CONTAINER}    {line}\n")
}

/// A line of the spec, before its containers.
fn in_spec(line: &str) -> String {
    format!("{HEAD}  {line}\n{CONTAINER}")
}

/// A line of an init container.
fn in_init(line: &str) -> String {
    format!("{HEAD}{CONTAINER}  initContainers:\n  - name: b\n    image: i\n    {line}\n")
}

#[test]
fn container_rules() {
    let cases = [
        ("imagePullPolicy: always", "UnsupportedValue", "imagePullPolicy"),
        ("terminationMessagePolicy: Log", "UnsupportedValue", "terminationMessagePolicy"),
        ("ports: [{name: web}]", "Required", "ports[0].containerPort"),
        ("ports: [{containerPort: 65536}]", "InvalidPort", "ports[0].containerPort"),
        ("ports: [{containerPort: -1}]", "InvalidPort", "ports[0].containerPort"),
        ("ports: [{containerPort: 80, hostPort: 70000}]", "InvalidPort", "ports[0].hostPort"),
        ("ports: [{containerPort: 80, protocol: tcp}]", "UnsupportedValue", "ports[0].protocol"),
        ("ports: [{containerPort: 80, name: HTTP}]", "InvalidName", "ports[0].name"),
        ("ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]", "DuplicateName", "ports[1].name"),
        ("ports: [{containerPort: 1, hostPort: 9}, {containerPort: 2, hostPort: 9}]", "PortConflict", "ports[1].hostPort"),
        ("env: [{value: a}]", "Required", "env[0].name"),
        ("env: [{name: 'A=B'}]", "InvalidEnvName", "env[0].name"),
        ("env: [{name: A, valueFrom: {}}]", "InvalidEnvSource", "env[0].valueFrom"),
        ("env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "InvalidEnvSource", "env[0].valueFrom"),
        (
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, resourceFieldRef: {resource: limits.cpu}}}]",
            "InvalidEnvSource",
            "env[0].valueFrom",
        ),
        ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]", "UnsupportedValue", "env[0].valueFrom.fieldRef.fieldPath"),
        ("env: [{name: A, valueFrom: {fieldRef: {}}}]", "Required", "env[0].valueFrom.fieldRef.fieldPath"),
        ("env: [{name: A, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}]", "InvalidFieldRef", "env[0].valueFrom.fieldRef.fieldPath"),
        ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['-']\"}}}]", "InvalidFieldRef", "env[0].valueFrom.fieldRef"),
        ("env: [{name: A, valueFrom: {resourceFieldRef: {resource: cpu}}}]", "UnsupportedValue", "env[0].valueFrom.resourceFieldRef.resource"),
        ("env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 2}}}]", "InvalidResource", "env[0].valueFrom.resourceFieldRef.divisor"),
        ("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "SecretReference", "env[0].valueFrom.secretKeyRef.name"),
        ("env: [{name: A, valueFrom: {configMapKeyRef: {name: s, key: k}}}]", "ConfigMapReference", "env[0].valueFrom.configMapKeyRef.name"),
        ("env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]", "UnknownVolume", "env[0].valueFrom.fileKeyRef.volumeName"),
        ("envFrom: [{prefix: A}]", "InvalidEnvSource", "envFrom[0]"),
        ("envFrom: [{prefix: 'A=', configMapRef: {name: c}}]", "InvalidEnvName", "envFrom[0].prefix"),
        ("envFrom: [{secretRef: {name: s}}]", "SecretReference", "envFrom[0].secretRef.name"),
        ("envFrom: [{configMapRef: {name: s}}]", "ConfigMapReference", "envFrom[0].configMapRef.name"),
        ("volumeMounts: [{name: v, mountPath: /v}]", "UnknownVolume", "volumeMounts[0].name"),
        ("volumeMounts: [{mountPath: /v}]", "Required", "volumeMounts[0].name"),
        ("volumeDevices: [{name: v, devicePath: /dev/v}]", "UnknownVolume", "volumeDevices[0].name"),
        ("resources: {requests: {cpu: 2}, limits: {cpu: 1}}", "InvalidResource", "resources.requests[cpu]"),
        ("resources: {requests: {cpu: -1}}", "InvalidResource", "resources.requests[cpu]"),
        ("resources: {requests: {gpu: 1}}", "InvalidResource", "resources.requests[gpu]"),
        ("resources: {requests: {example.com/gpu: 1}}", "Required", "resources.limits"),
        ("resources: {limits: {example.com/gpu: 500m}}", "InvalidResource", "resources.limits[example.com/gpu]"),
        ("resources: {requests: {example.com/gpu: 1}, limits: {example.com/gpu: 2}}", "InvalidResource", "resources.requests[example.com/gpu]"),
        ("resources: {limits: {hugepages-2Mi: 2Mi}}", "InvalidResource", "resources.limits"),
        ("resources: {claims: [{name: c}]}", "ResourceClaimReference", "resources.claims[0].name"),
        ("resources: {limits: {cpu: much}}", "WrongType", "resources.limits[cpu]"),
        ("resizePolicy: [{resourceName: disk, restartPolicy: NotRequired}]", "UnsupportedValue", "resizePolicy[0].resourceName"),
        ("livenessProbe: {}", "Required", "livenessProbe"),
        ("livenessProbe: {exec: {}}", "Required", "livenessProbe.exec.command"),
        ("livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}", "TooManyHandlers", "livenessProbe.tcpSocket"),
        ("livenessProbe: {tcpSocket: {port: 0}}", "InvalidPort", "livenessProbe.tcpSocket.port"),
        ("livenessProbe: {httpGet: {port: HTTP}}", "InvalidPort", "livenessProbe.httpGet.port"),
        ("livenessProbe: {httpGet: {port: 80, scheme: http}}", "UnsupportedValue", "livenessProbe.httpGet.scheme"),
        ("livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: 'a b', value: c}]}}", "InvalidName", "livenessProbe.httpGet.httpHeaders[0].name"),
        ("livenessProbe: {grpc: {port: 70000}}", "InvalidPort", "livenessProbe.grpc.port"),
        ("livenessProbe: {tcpSocket: {port: 1}, periodSeconds: -1}", "OutOfRange", "livenessProbe.periodSeconds"),
        ("livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}", "InvalidProbe", "livenessProbe.successThreshold"),
        ("livenessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 0}", "OutOfRange", "livenessProbe.terminationGracePeriodSeconds"),
        ("readinessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 1}", "InvalidProbe", "readinessProbe.terminationGracePeriodSeconds"),
        ("lifecycle: {preStop: {}}", "Required", "lifecycle.preStop"),
        ("lifecycle: {preStop: {sleep: {seconds: 31}}}", "OutOfRange", "lifecycle.preStop.sleep.seconds"),
        ("restartPolicy: Sometimes", "UnsupportedValue", "restartPolicy"),
        ("restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]", "Required", "restartPolicy"),
        ("securityContext: {runAsUser: -1}", "OutOfRange", "securityContext.runAsUser"),
        ("securityContext: {procMount: Unmasked}", "InvalidSecurity", "securityContext.procMount"),
        ("securityContext: {privileged: true, allowPrivilegeEscalation: false}", "InvalidSecurity", "securityContext.allowPrivilegeEscalation"),
        ("securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}", "InvalidSecurity", "securityContext.allowPrivilegeEscalation"),
        ("securityContext: {seccompProfile: {type: Local}}", "UnsupportedValue", "securityContext.seccompProfile.type"),
        ("securityContext: {seccompProfile: {type: Localhost}}", "Required", "securityContext.seccompProfile.localhostProfile"),
        ("securityContext: {seccompProfile: {type: Localhost, localhostProfile: /p}}", "InvalidPath", "securityContext.seccompProfile.localhostProfile"),
        ("securityContext: {appArmorProfile: {type: RuntimeDefault, localhostProfile: p}}", "InvalidSecurity", "securityContext.appArmorProfile.localhostProfile"),
    ];
    for (line, reason, field) in cases {
        // A field that is not there is placed at the nearest one around it, which is in the same line here, or is the
        // container itself.
        let at = if reason == "Required" && field == "restartPolicy" { 7 } else { 9 };
        refused(&in_container(line), reason, &format!("spec.containers[0].{field}"), at);
    }
    for line in [
        "command: []",
        "imagePullPolicy: Never",
        "ports: [{containerPort: 80, hostPort: 8080, name: http}, {containerPort: 80, protocol: UDP, hostPort: 8080}]",
        "env: [{name: 1-a.b c}, {name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['Ex.com/A']\"}}}]",
        "env: [{name: A, valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1Mi}}}]",
        "env: [{name: A, valueFrom: {secretKeyRef: {key: k}}}]",
        "resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1000m, memory: 1024Mi, example.com/gpu: 1}}",
        "resources: {limits: {memory: 1Gi, hugepages-2Mi: 4Mi, ephemeral-storage: 1Gi}}",
        "livenessProbe: {httpGet: {port: http, path: /live}, timeoutSeconds: 0}",
        "readinessProbe: {grpc: {port: 80}, successThreshold: 2}",
        "lifecycle: {postStart: {exec: {command: [a]}}, preStop: {sleep: {seconds: 30}}}",
        "restartPolicy: OnFailure",
        "securityContext: {runAsUser: 0, capabilities: {add: [SYS_ADMIN]}, seccompProfile: {type: RuntimeDefault}}",
        "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
    ] {
        accepted(&in_container(line));
    }
}

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
fn init_containers() {
    let probe = "livenessProbe: {tcpSocket: {port: 1}}";
    refused(&in_init(probe), "NotForInitContainers", "spec.initContainers[0].livenessProbe", 12);
    refused(&in_init("lifecycle: {}"), "NotForInitContainers", "spec.initContainers[0].lifecycle", 12);
    accepted(&in_init(&format!("{probe}\n    restartPolicy: Always")));
    refused(
        &in_init("restartPolicy: Always\n    livenessProbe: {}"),
        "Required",
        "spec.initContainers[0].livenessProbe",
        13,
    );
    refused(&in_init("").replace("name: b", "name: a"), "DuplicateName", "spec.initContainers[0].name", 10);
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

#[test]
fn metadata_rules() {
    let with = |metadata: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {metadata}\nspec:\n{CONTAINER}");
    for (metadata, reason, field) in [
        ("{}", "Required", "metadata.name"),
        ("{name: ''}", "Required", "metadata.name"),
        ("{name: Bad_Name}", "InvalidName", "metadata.name"),
        ("{name: a.}", "InvalidName", "metadata.name"),
        ("{name: a, namespace: A}", "InvalidNamespace", "metadata.namespace"),
        ("{name: a, namespace: a.b}", "InvalidNamespace", "metadata.namespace"),
        ("{name: a, labels: {a b: c}}", "InvalidLabel", "metadata.labels[a b]"),
        ("{name: a, labels: {a: b c}}", "InvalidLabel", "metadata.labels[a]"),
        ("{name: a, labels: {a: 1}}", "WrongType", "metadata.labels[a]"),
        ("{name: a, annotations: {a b: c}}", "InvalidAnnotation", "metadata.annotations[a b]"),
        ("{name: a, finalizers: ['-']}", "InvalidName", "metadata.finalizers[0]"),
        (
            "{name: a, ownerReferences: [{apiVersion: v1, kind: K, name: o}]}",
            "Required",
            "metadata.ownerReferences[0].uid",
        ),
        ("{name: n, generation: -1}", "WrongType", "metadata.name"),
        ("{name: m, generation: -1}", "OutOfRange", "metadata.generation"),
    ] {
        refused(&with(metadata), reason, field, 3);
    }
    for metadata in [
        "{name: a-}",
        "{name: a.b}",
        "{name: a, uid: b}",
        "{name: a, namespace: ''}",
        "{name: a, annotations: {Example.com/A: b}}",
        "{name: a, labels: {a: }}",
    ] {
        accepted(&with(metadata));
    }
    let long = with(&format!("{{name: a, annotations: {{a: {}}}}}", "x".repeat(256 * 1024)));
    refused(&long, "TooLong", "metadata.annotations", 3);
    let missing = format!("apiVersion: v1\nkind: Pod\nspec:\n{CONTAINER}");
    refused(&missing, "Required", "metadata.name", 1);
}

#[test]
fn documents() {
    let pod = format!("{HEAD}{CONTAINER}");
    accepted(&pod);
    accepted(&format!("\u{feff}{pod}"));
    let utf16: Vec<u8> = format!("\u{feff}{pod}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("a", &utf16).pod, read("a", pod.as_bytes()).pod);
    assert_eq!(read("a", utf16.split_last().unwrap().1).findings[0].reason, "NotUTF8");
    accepted(&format!("{pod}---\nnot: {{a pod\n"));
    let json = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":"i"}]}}"#;
    accepted(json);
    assert_eq!(read("a", json.as_bytes()).pod, read("a", pod.as_bytes()).pod);
    for (yaml, reason, field, line) in [
        (pod.replace("kind: Pod", "kind: PodList"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod", "kind: List"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod", "kind: Deployment"), "NotAPod", "kind", 2),
        (pod.replace("kind: Pod\n", ""), "NotAPod", "kind", 1),
        (pod.replace("apiVersion: v1\n", ""), "WrongVersion", "apiVersion", 1),
        (pod.replace("apiVersion: v1", "apiVersion: v2"), "WrongVersion", "apiVersion", 1),
        ("- a\n".to_owned(), "NotAPod", "", 1),
        (pod.replace("name: web", "name: [web"), "InvalidYAML", "", 5),
        (pod.replace("spec:\n", "spec:\n  hostNetwork: 'yes'\n"), "WrongType", "spec.hostNetwork", 6),
        (pod.replace("image: i", "image: 1"), "WrongType", "spec.containers[0].image", 8),
    ] {
        let file = read("web.yaml", yaml.as_bytes());
        let errors: Vec<_> = file.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        let found = errors.iter().any(|f| (f.reason, f.field.as_str(), f.line) == (reason, field, line));
        assert!(file.pod.is_none() && found, "want {reason} {field} {line} in\n{yaml}\n{}", text(&file));
    }
    for bytes in [&b""[..], b"\n", b"# nothing\n", b"a: \xff\n"] {
        let file = read("web.yaml", bytes);
        assert!(file.pod.is_none() && !file.findings.is_empty(), "{bytes:?}");
    }
    let not_text = read("web.yaml", b"a: 1\nb: \xff\n");
    assert_eq!((not_text.findings[0].reason, not_text.findings[0].line), ("NotUTF8", 2));
}

/// As kubeadm writes its control plane, with what older and newer versions do differently.
#[test]
fn control_plane_manifests_are_accepted() {
    let written = r"
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 10.0.0.1:6443
  creationTimestamp: null
  labels: {component: kube-apiserver, tier: control-plane}
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command: [kube-apiserver, --advertise-address=10.0.0.1, '--secure-port=6443']
    image: registry.k8s.io/kube-apiserver:v1.36.0
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet: {host: 10.0.0.1, path: /livez, port: probe-port, scheme: HTTPS}
      initialDelaySeconds: 10
      periodSeconds: 10
      timeoutSeconds: 15
    name: kube-apiserver
    ports:
    - {containerPort: 6443, name: probe-port, protocol: TCP}
    readinessProbe:
      httpGet: {host: 10.0.0.1, path: /readyz, port: 6443, scheme: HTTPS}
      periodSeconds: 1
    resources:
      requests: {cpu: 250m}
    startupProbe:
      failureThreshold: 24
      httpGet: {host: 10.0.0.1, path: /livez, port: 6443, scheme: HTTPS}
    volumeMounts:
    - {mountPath: /etc/ssl/certs, name: ca-certs, readOnly: true}
    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  securityContext:
    seccompProfile: {type: RuntimeDefault}
  volumes:
  - hostPath: {path: /etc/ssl/certs, type: DirectoryOrCreate}
    name: ca-certs
  - hostPath: {path: /etc/kubernetes/pki, type: DirectoryOrCreate}
    name: k8s-certs
status: {}
";
    accepted(written);
    accepted(&written.replace(
        "  name: kube-apiserver\n  namespace",
        "  uid: 6c1ae9ea3b1b6e6f\n  name: kube-apiserver\n  namespace",
    ));
}

/// A finding as a person sees it.
#[test]
fn messages_name_the_place_and_the_remedy() {
    let lines = |yaml: &str| {
        let file = read("/etc/kubernetes/manifests/web.yaml", yaml.as_bytes());
        file.findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&in_container("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]")),
        ["/etc/kubernetes/manifests/web.yaml:9:48: spec.containers[0].env[0].valueFrom.secretKeyRef.name: static pods \
          may not reference secrets; write the value into the manifest, or keep it in a file on the node and mount that"]
    );
    assert_eq!(
        lines(&in_spec("restartPolicy: Sometimes")),
        ["/etc/kubernetes/manifests/web.yaml:6:3: spec.restartPolicy: Unsupported value: \"Sometimes\": supported \
          values: \"Always\", \"Never\", \"OnFailure\""]
    );
    let broken = lines("kind: Pod\nspec: {\n");
    let start = "/etc/kubernetes/manifests/web.yaml:3:1: not valid YAML: ";
    assert!(broken.len() == 1 && broken[0].starts_with(start), "{broken:?}");
}

/// A file that is wrong from end to end gets a bounded list, and is refused all the same.
#[test]
fn findings_are_bounded() {
    let unknown: String = (0..5000).map(|i| format!("  x{i}: 1\n")).collect();
    let file = read("f", format!("{HEAD}{unknown}{CONTAINER}").as_bytes());
    assert!(file.pod.is_some() && file.findings.len() == 101, "{}", file.findings.len());
    let containers: String = (0..5000).map(|_| "  - {}\n").collect();
    let file = read("f", format!("{HEAD}{unknown}  containers:\n{containers}").as_bytes());
    assert!(file.pod.is_none() && file.findings.len() == 201, "{}", file.findings.len());
    assert!(text(&file).contains("TooManyFindings"));
}

#[test]
fn warnings_do_not_refuse() {
    for (yaml, reason, field, line) in [
        (in_container("imagePullPolice: Never"), "UnknownField", "spec.containers[0].imagePullPolice", 9),
        (in_spec("hostnetwork: true"), "UnknownField", "spec.hostnetwork", 6),
        (in_container("image: j"), "DuplicateKey", "spec.containers[0].image", 9),
    ] {
        let file = read("web.yaml", yaml.as_bytes());
        let got: Vec<_> = file.findings.iter().map(|f| (f.severity, f.reason, f.field.as_str(), f.line)).collect();
        assert_eq!(got, [(Severity::Warning, reason, field, line)], "{yaml}");
        assert!(file.pod.is_some());
    }
}

#[test]
fn answers_of_a_url() {
    let pod = format!("{HEAD}{CONTAINER}");
    assert_eq!(read_list("u", pod.as_bytes()).len(), 1);
    let item = |name: &str| format!("- metadata: {{name: {name}}}\n  spec: {{containers: [{{name: a, image: i}}]}}\n");
    let list = |items: &str| format!("apiVersion: v1\nkind: PodList\nitems:\n{items}");
    let good = read_list("u", list(&(item("b") + &item("a"))).as_bytes());
    let names: Vec<_> = good.iter().map(|f| f.pod.as_ref().map(|p| p.name.clone()).unwrap_or_default()).collect();
    assert_eq!(names, ["b", "a"]);
    assert!(read_list("u", list("").as_bytes()).is_empty());
    let bad = read_list("u", list(&(item("b") + &item("A"))).as_bytes());
    assert_eq!(bad.len(), 1);
    assert!(bad[0].pod.is_none());
    assert_eq!((bad[0].findings[0].field.as_str(), bad[0].findings[0].line), ("items[1].metadata.name", 6));
    for refused in ["", "kind: List\napiVersion: v1\nitems: []", "a: ["] {
        let got = read_list("u", refused.as_bytes());
        assert!(got.len() == 1 && got[0].pod.is_none() && !got[0].findings.is_empty(), "{refused}");
    }
}

mod any_input {
    use proptest::prelude::*;

    use crate::pod::finding::Severity;
    use crate::pod::manifest::{read, read_list};

    /// A manifest with one piece of it replaced, which reaches deeper than arbitrary bytes do.
    fn damaged() -> impl Strategy<Value = String> {
        let whole = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {a: b}}\nspec:\n  hostNetwork: true\n  \
            containers:\n  - {name: a, image: 'i:1', ports: [{containerPort: 80}], resources: {limits: {cpu: 100m}}, \
            livenessProbe: {httpGet: {port: 80}}, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}\n  \
            volumes: [{name: v, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.labels}}]}}]\n";
        let pieces =
            prop::sample::select(vec!["", "null", "{}", "[]", "-1", "''", "{a: b}", "[null]", "99999999999", "\u{e4}"]);
        (0..whole.len(), 1..12usize, pieces).prop_map(move |(at, len, piece)| {
            let end = (at + len).min(whole.len());
            format!("{}{piece}{}", &whole[..at], &whole[end..])
        })
    }

    fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
        for file in std::iter::once(read("f", bytes)).chain(read_list("u", bytes)) {
            let refused = file.findings.iter().any(|f| f.severity == Severity::Error);
            prop_assert_eq!(file.pod.is_none(), refused, "{:?}", file.findings);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&bytes)?;
        }

        #[test]
        fn damaged_manifests(text in damaged()) {
            check(text.as_bytes())?;
        }
    }
}
