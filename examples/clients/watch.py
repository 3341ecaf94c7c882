"""Follows the pods of this node. Needs grpcio, protobuf, grpcio-tools and our proto/ folder.

  python -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. \
      pods_v1alpha1.proto $(cd proto && find k8s.io nodepods -name '*.proto')
  python examples/clients/watch.py [SOCKET]
"""
import sys
import time

import grpc

import pods_v1alpha1_pb2 as api
import pods_v1alpha1_pb2_grpc as services
from k8s.io.api.core.v1.pod_pb2 import Pod

socket = sys.argv[1] if len(sys.argv) > 1 else "/run/nodepods/pods.sock"
mask = (("x-kubernetes-fieldmask", "metadata.name,metadata.namespace,metadata.uid,status.phase"),)
node = {}  # what is on the node now, by UID

with grpc.insecure_channel(f"unix:{socket}") as channel:
    pods = services.PodsStub(channel)
    while True:
        try:
            seen = set()
            synced = False
            for event in pods.WatchPods(api.WatchPodsRequest(), metadata=mask, wait_for_ready=True):
                if event.type == api.INITIAL_SYNC_COMPLETE:
                    synced = True
                    for uid in node.keys() - seen:  # went away while we were not connected
                        print("DELETED", node.pop(uid), flush=True)
                    print("SYNCED", len(node), flush=True)
                    continue
                pod = Pod.FromString(event.pod)
                uid, name = pod.metadata.uid, f"{pod.metadata.namespace}/{pod.metadata.name}"
                print(api.EventType.Name(event.type), name, pod.status.phase, flush=True)
                if event.type == api.DELETED:
                    node.pop(uid, None)
                else:
                    node[uid] = name
                    if not synced:
                        seen.add(uid)
        except grpc.RpcError as e:
            # UNAVAILABLE: it restarts. FAILED_PRECONDITION: it does not know its node yet. Both pass.
            print("again:", e.code().name, file=sys.stderr)
            time.sleep(1)
