//! Rules about one container.

use super::{accepted, in_container, in_init, refused};

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
