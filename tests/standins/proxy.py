"""A TCP proxy that misbehaves: between the daemon and a server that does not."""
import socket
import threading


class Proxy:
    """Passes bytes on to `port` of this machine until it is told otherwise."""

    def __init__(self, port):
        self.target = port
        self.limit = None  # bytes of an answer after which the connection is cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._passing = threading.Event()
        self._passing.set()
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self):
        """Connections are accepted, and nothing comes through; those that are open fall silent."""
        self._passing.clear()

    def truncate(self, after):
        """Each connection is cut after so many bytes of the answer."""
        self.limit = after

    def heal(self):
        self.limit = None
        self._passing.set()

    def cut(self):
        """Ends every connection."""
        for s in list(self._open):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()
        self._passing.set()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            pair = (client, server)
            self._open.update(pair)
            threading.Thread(target=self._pass, args=(client, server, pair, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, pair, True), daemon=True).start()

    def _pass(self, source, sink, pair, is_answer):
        passed = 0
        try:
            while data := source.recv(65536):
                self._passing.wait()
                if is_answer and self.limit is not None:
                    data = data[: max(0, self.limit - passed)]
                sink.sendall(data)
                passed += len(data)
                if is_answer and self.limit is not None and passed >= self.limit:
                    break
        except OSError:
            pass
        for s in pair:
            self._open.discard(s)
            try:
                s.shutdown(socket.SHUT_RDWR)  # close alone would wait for the other thread's recv
            except OSError:
                pass
            s.close()
