//! Follows the pods of this node, with grpcio: `cargo run --example watch [SOCKET]`.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use grpcio::{CallOption, ChannelBuilder, Client, EnvBuilder, Marshaller, MetadataBuilder, Method, MethodType};
use nodepods::proto::pods_v1alpha1::{WatchPodsEvent, WatchPodsRequest};

const WATCH_PODS: Method<WatchPodsRequest, WatchPodsEvent> = Method {
    ty: MethodType::ServerStreaming,
    name: "/v1alpha1.Pods/WatchPods",
    req_mar: Marshaller { ser: grpcio::pb_ser, de: grpcio::pb_de },
    resp_mar: Marshaller { ser: grpcio::pb_ser, de: grpcio::pb_de },
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args().nth(1).unwrap_or_else(|| "/run/nodepods/pods.sock".into());
    let environment = Arc::new(EnvBuilder::new().cq_count(1).build());
    let client = Client::new(ChannelBuilder::new(environment).connect(&format!("unix:{socket}")));
    loop {
        let mut mask = MetadataBuilder::new();
        mask.add_str("x-kubernetes-fieldmask", "metadata.name,metadata.namespace,status.phase")?;
        let options = CallOption::default().headers(mask.build()).wait_for_ready(true);
        let mut events = client.server_streaming(&WATCH_PODS, &WatchPodsRequest::new(), options)?;
        while let Some(event) = block_on(events.next()) {
            match event {
                Ok(event) => println!("{:?} {}", event.type_.enum_value_or_default(), name(&event.pod)),
                // UNAVAILABLE: it restarts. FAILED_PRECONDITION: it does not know its node yet. Both pass.
                Err(e) => eprintln!("again: {e}"),
            }
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Namespace and name out of a pod's bytes. A client of your own takes a typed Pod, such as one made from
/// proto/k8s.io; this one reads the JSON form.
fn name(pod: &[u8]) -> String {
    let pod = nodepods::codec::json::pod_value(pod).unwrap_or_default();
    let field = |name: &str| pod.pointer(name).and_then(|v| v.as_str()).unwrap_or_default().to_string();
    format!("{}/{} {}", field("/metadata/namespace"), field("/metadata/name"), field("/status/phase"))
}
