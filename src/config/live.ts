/** Seconds that gunicorn gives a worker beyond `timeout`, in which what has no end of its own is ended properly. */
export const LIVE_GRACE_SECONDS = 5

/**
 * The part of the entry module that looks after what has no end of its own: event streams (`text/event-stream`) and
 * websockets. Python text; it defines `alive(app)`, which goes around an app, and `watch(worker)`, which
 * gunicorn.conf.py calls with each worker.
 *
 * A worker that was told to stop finishes its requests for `graceful_timeout` and is then killed, which visitors see as a
 * broken answer, or a websocket that closes with 1006. So `timeout` seconds after that word an event stream ends with
 * its last chunk, and a websocket with a close frame 1001 (going away, RFC 6455, 7.4.1); browsers come back by themselves.
 * An answer of another kind is left alone: one that was cut must not look whole to whoever saves it.
 *
 * In between, either says something every 15 s, a comment line or a ping, since nginx (`proxy_read_timeout`) gives up on
 * an app that says nothing (HTML standard, 9.2.7; RFC 6455, 5.5.2).
 *
 * The worker is only looked at while there are such connections. Workers of gunicorn's own that have no socket to show
 * (pywsgi's) go without.
 */
export function renderLive(timeoutSeconds: number): string {
  return `TIMEOUT = ${timeoutSeconds}
# A worker that stops is killed some seconds after that.
PATIENCE = 1.5
SILENCE = 15
TICK = 0.25


class Watch:
    """Of one worker: the event streams and websockets that are open."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = set()
        self.worker = None
        self.running = False
        self.stopping = None

    def add(self, one):
        with self.lock:
            self.open.add(one)
            if self.running:
                return
            self.running = True
        try:
            threading.Thread(target=self.run, name="flask-deploy-live", daemon=True).start()
        except RuntimeError:
            # The interpreter ends, or there are too many: it is as if nobody watched.
            self.running = False

    def remove(self, one):
        with self.lock:
            self.open.discard(one)

    def run(self):
        while True:
            time.sleep(TICK)
            with self.lock:
                all = list(self.open)
                if not all:
                    self.running = False
                    return
            now = time.monotonic()
            if self.stopping is None and self.worker is not None and not self.worker.alive:
                self.stopping = now
            over = 0 if self.stopping is None else now - self.stopping - TIMEOUT
            for one in all:
                try:
                    if self.stopping is None or over < 0:
                        one.keep(now)
                    else:
                        one.end(over)
                except (OSError, ValueError):
                    # The visitor has gone, and the app notices as it always does.
                    self.remove(one)
            # A worker that ends by itself (max_requests) is killed where it gives no sign; some versions give none then.
            if self.stopping is not None and over < PATIENCE * 2:
                try:
                    self.worker.notify()
                except (OSError, ValueError):
                    # It only waits for its threads by now.
                    pass


WATCH = Watch()


def watch(worker):
    WATCH.worker = worker


def writable(sock):
    """Would a few bytes go out at once? A visitor who does not read is not waited for."""
    return bool(select.select([], [sock], [], 0)[1])


class EventStream:
    """The body of an answer that ends when the app does not end it. What is written beside the app's own parts is written
    while nobody else writes: as long as the app is asked for the next part."""

    def __init__(self, body, response, sock):
        self.body, self.response, self.sock = body, response, sock
        self.lock = threading.Lock()
        self.asking = self.over = self.cut = False
        self.whole_line = True
        self.said = time.monotonic()

    def __iter__(self):
        self.parts = iter(self.body)
        WATCH.add(self)
        return self

    def __next__(self):
        with self.lock:
            if self.over:
                raise StopIteration
            self.asking = True
        try:
            part = next(self.parts)
        finally:
            with self.lock:
                self.asking = False
        if self.cut:
            raise StopIteration
        if part:
            self.whole_line = part.endswith((b"\\n", b"\\r"))
            self.said = time.monotonic()
        return part

    def close(self):
        WATCH.remove(self)
        if hasattr(self.body, "close"):
            self.body.close()

    def keep(self, now):
        with self.lock:
            if self.asking and self.whole_line and now - self.said > SILENCE and writable(self.sock):
                self.response.write(b":\\n")
                self.said = now

    def end(self, over):
        self.over = True
        with self.lock:
            # An app that has something to say meanwhile ends by itself.
            if over > PATIENCE and self.asking and not self.cut and writable(self.sock):
                self.cut = True
                self.response.close()
                # Nothing may follow: gunicorn's own last chunk neither.
                self.sock.shutdown(socket.SHUT_WR)


class Websocket:
    """A connection that a library of the app's speaks on. Frames that are sent beside it go out whole, between its own."""

    def __init__(self, sock):
        self.sock = sock
        self.said = time.monotonic()
        self.closed = self.cut = False

    def between_frames(self):
        left = fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, b"\\0" * 4)
        return struct.unpack("i", left)[0] == 0 and writable(self.sock)

    def keep(self, now):
        if now - self.said > SILENCE and self.between_frames():
            self.said = now
            self.sock.sendall(b"\\x89\\x00")

    def end(self, over):
        if not self.closed and self.between_frames():
            self.closed = True
            # The visitor answers, and the library then hears of an end.
            self.sock.sendall(b"\\x88\\x02\\x03\\xe9")
        elif over > PATIENCE * 2 and not self.cut:
            self.cut = True
            self.sock.shutdown(socket.SHUT_RDWR)


def is_event_stream(headers):
    return any(
        name.lower() == "content-type" and value.lower().startswith("text/event-stream") for name, value in headers
    )


def alive(app):
    def answer(environ, start_response):
        sock = environ.get("gunicorn.socket")
        if sock is None:
            return app(environ, start_response)
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket" and "HTTP_SEC_WEBSOCKET_KEY" in environ:
            one = Websocket(sock)
            WATCH.add(one)
            try:
                return app(environ, start_response)
            finally:
                WATCH.remove(one)
        streams = []

        def start(status, headers, *exc_info):
            if not is_event_stream(headers):
                return start_response(status, headers, *exc_info)
            # nginx hands each event on as it comes; visitors do not see this header.
            if not any(name.lower() == "x-accel-buffering" for name, _ in headers):
                headers = list(headers) + [("X-Accel-Buffering", "no")]
            write = start_response(status, headers, *exc_info)
            streams[:] = [getattr(write, "__self__", None)]
            return write

        body = app(environ, start)
        if not streams or not hasattr(streams[0], "send_headers") or environ.get("REQUEST_METHOD") == "HEAD":
            return body
        return EventStream(body, streams[0], sock)

    return answer
`
}
