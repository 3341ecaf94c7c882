"""A watching client that remembers what it saw and waits for what it is told to."""
import queue
import threading
import time

import grpc

from .contracts import Pod


class Event:
    """One event of `v1alpha1.Pods/WatchPods`: the type's name, the decoded pod, when it came."""

    def __init__(self, message, at):
        self.type = message.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[message.type].name
        self.pod = Pod.FromString(message.pod) if message.pod else None
        self.at = at

    @property
    def name(self):
        return self.pod.metadata.name if self.pod else None

    def __repr__(self):
        return f"{self.type} {self.name} {self.pod.status.phase if self.pod else ''}".strip()


class Watch:
    """Reads a stream in a thread of its own. `seen` holds all events in order."""

    def __init__(self, call):
        self._call, self._queue, self.seen, self.error = call, queue.SimpleQueue(), [], None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for message in self._call:
                self._queue.put(Event(message, time.time()))
        except grpc.RpcError as e:
            self.error = e
        self._queue.put(None)

    def until(self, true, timeout=15, what=""):
        """The next event for which `true` holds; those before it stay in `seen`."""
        end = time.monotonic() + timeout
        while True:
            try:
                event = self._queue.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no event {what} within {timeout} s; seen: {self.seen}") from None
            if event is None:
                raise AssertionError(f"the stream ended ({self.error}) before an event {what}; seen: {self.seen}")
            self.seen.append(event)
            if true(event):
                return event

    def next(self, kind, name, true=lambda pod: True, timeout=15):
        """The next event of that type about the pod of that name."""
        return self.until(
            lambda e: e.type == kind and e.name == name and true(e.pod), timeout, f"{kind} {name}"
        )

    def synced(self):
        """Reads the initial burst; its pods by name."""
        self.until(lambda e: e.type == "INITIAL_SYNC_COMPLETE", what="INITIAL_SYNC_COMPLETE")
        return {e.name: e.pod for e in self.seen if e.type == "ADDED"}

    def ended(self, timeout=10):
        """Waits for the end of the stream; its status code."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"the stream is open after {timeout} s; seen: {self.seen}"
        while (event := self._queue.get()) is not None:
            self.seen.append(event)
        return self.error.code() if self.error else grpc.StatusCode.OK

    def cancel(self):
        self._call.cancel()
        self._thread.join(10)
