// The JavaScript client of Kubernetes: an informer, and a watch that begins with what there is. Prints one JSON line
// for each thing it sees. node informer.mjs URL
import { CoreV1Api, KubeConfig, Watch, makeInformer } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromOptions({
  clusters: [{ name: 'node', server: process.argv[2], skipTLSVerify: true }], // without TLS there is nothing to verify,
  users: [{ name: 'nobody' }],
  contexts: [{ name: 'node', cluster: 'node', user: 'nobody' }],
  currentContext: 'node',
});
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const api = config.makeApiClient(CoreV1Api);

const informer = makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
for (const event of ['add', 'delete']) {
  informer.on(event, (pod) => say({ informer: event, name: pod.metadata.name }));
}
await informer.start();

const streaming = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true };
await new Watch(config).watch(
  '/api/v1/pods',
  streaming,
  (type, object) =>
    say(
      type === 'BOOKMARK'
        ? { streamed: type, end: object.metadata.annotations?.['k8s.io/initial-events-end'] }
        : { streamed: type, name: object.metadata.name },
    ),
  () => {},
);
