// A client that is not built on gRPC's C core: @grpc/grpc-js. Prints one JSON line for each thing it sees.
// node watch.js SOCKET PROTO_DIR
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [socket, protos] = process.argv.slice(2);
const load = (file) =>
  grpc.loadPackageDefinition(loader.loadSync(file, { includeDirs: [protos], keepCase: true, enums: String }));
const { Pods } = load('pods_v1alpha1.proto').v1alpha1;
const protobuf = require('protobufjs');
const root = new protobuf.Root();
root.resolvePath = (_, target) => (target.startsWith('/') ? target : `${protos}/${target}`);
root.loadSync('k8s.io/api/core/v1/pod.proto');
const Pod = root.lookupType('k8s.io.api.core.v1.Pod');
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const client = new Pods(`unix:${socket}`, grpc.credentials.createInsecure());
client.ListPods({}, (error, reply) => {
  if (error) throw error;
  say({ list: reply.pods.map((bytes) => Pod.decode(bytes).metadata.name) });
  client.GetPod({ podUID: 'nobody' }, (refused) => say({ code: refused.code, details: refused.details }));
  const mask = new grpc.Metadata();
  mask.set('x-kubernetes-fieldmask', 'metadata.name');
  const watch = client.WatchPods({}, mask);
  watch.on('data', ({ type, pod }) => say({ type, name: pod && pod.length ? Pod.decode(pod).metadata.name : null }));
  watch.on('error', ({ code }) => say({ ended: code }));
});
