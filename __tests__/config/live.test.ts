import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { renderLive } from '../../src/config/live.ts'
import { hasPython } from './sample.ts'

/*
 * The part of the entry module that ends streams and websockets, with a gunicorn of this test's own: `worker.alive`, a socket,
 * and a response that writes chunks. What gunicorn's workers make of it is in ../e2e/live.e2e.test.ts.
 */

/** Runs a Python text after the module's; all times are short there. @returns what it printed, as JSON */
function run(text: string): unknown {
  const program = `
import fcntl, json, select, socket, struct, termios, threading, time
${renderLive(1)}
TIMEOUT, PATIENCE, SILENCE, TICK = 0.4, 0.3, 0.4, 0.05
ours, theirs = socket.socketpair()
class Worker:
    alive = True
    signs = 0
    def notify(self): self.signs += 1
worker = Worker()
watch(worker)
class Response:
    headers_sent = False
    def start_response(self, status, headers, *rest):
        self.headers = headers
        return self.write
    def send_headers(self):
        if not self.headers_sent: ours.sendall(b"HEAD ")
        self.headers_sent = True
    def write(self, part):
        self.send_headers()
        ours.sendall(b"<" + part + b">")
    def close(self):
        self.send_headers()
        ours.sendall(b"<>")
def serve(app, environ={}):
    """As gunicorn's handle_request does."""
    response = Response()
    given = dict(environ, REQUEST_METHOD="GET") if environ is None else {"REQUEST_METHOD": "GET", "gunicorn.socket": ours, **environ}
    body = alive(app)(given, response.start_response)
    try:
        for part in body: response.write(part)
        response.close()
    except OSError as error:
        return type(error).__name__
    finally:
        if hasattr(body, "close"): body.close()
def received(seconds=0.3):
    theirs.settimeout(seconds)
    got = b""
    try:
        while True:
            part = theirs.recv(1000)
            if not part: return got.decode("latin-1") + " EOF"
            got += part
    except socket.timeout:
        return got.decode("latin-1")
def threads(): return [one.name for one in threading.enumerate() if one.name == "flask-deploy-live"]
EVENTS = [("Content-Type", "text/event-stream; charset=utf-8")]
${text}
`
  const done = spawnSync('python3', ['-I', '-c', program], { encoding: 'utf8', timeout: 20_000 })
  if (done.status !== 0) throw new Error(done.stderr)
  return JSON.parse(done.stdout)
}

describe.runIf(hasPython)('an answer that is no event stream', () => {
  test('is the app’s own object, and nobody watches', () => {
    const text = `
body = [b"a"]
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return body
response = Response()
got = alive(app)({"REQUEST_METHOD": "GET", "gunicorn.socket": ours}, response.start_response)
print(json.dumps([got is body, response.headers, threads()]))
`
    expect(run(text)).toEqual([true, [['Content-Type', 'text/html']], []])
  })

  test('goes through a server that shows no socket as it is, an event stream too', () => {
    const text = `
body = [b"a"]
def app(environ, start_response):
    start_response("200 OK", EVENTS)
    return body
response = Response()
got = alive(app)({"REQUEST_METHOD": "GET"}, response.start_response)
print(json.dumps([got is body, len(response.headers), threads()]))
`
    expect(run(text)).toEqual([true, 1, []])
  })

  test('is not ended, however long it takes', () => {
    const text = `
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])
    def rows():
        for _ in range(20):
            yield b"1"
            time.sleep(0.06)
    return rows()
worker.alive = False
serve(app)
print(json.dumps(received().count("<1>")))
`
    expect(run(text)).toBe(20)
  })
})

describe.runIf(hasPython)('an event stream', () => {
  test('is handed on by nginx as it comes, unless the app has its own word on that', () => {
    const text = `
def app(environ, start_response):
    start_response("200 OK", EVENTS + environ["more"])
    return [b"a"]
given = []
for more in ([], [("x-accel-buffering", "yes")]):
    response = Response()
    list(alive(app)({"REQUEST_METHOD": "GET", "gunicorn.socket": ours, "more": more}, response.start_response))
    given.append(response.headers[1:])
print(json.dumps(given))
`
    expect(run(text)).toEqual([[['X-Accel-Buffering', 'no']], [['x-accel-buffering', 'yes']]])
  })

  test('that says something ends between two of its parts, and the app’s generator is closed', () => {
    const text = `
seen = []
def app(environ, start_response):
    start_response("200 OK", EVENTS)
    def parts():
        try:
            while True:
                yield b"data: a\\n\\n"
                time.sleep(0.1)
        finally:
            seen.append("closed")
    return parts()
threading.Timer(0.3, lambda: setattr(worker, "alive", False)).start()
began = time.monotonic()
fault = serve(app)
took = time.monotonic() - began
got = received()
time.sleep(0.5)
print(json.dumps([fault, got.endswith("<data: a\\n\\n><>"), seen, 0.7 < took < 1.5, threads(), worker.signs > 0]))
`
    expect(run(text)).toEqual([null, true, ['closed'], true, [], true])
  })

  test('that says nothing gets its last chunk from us, and nothing after it', () => {
    const text = `
go = threading.Event()
def app(environ, start_response):
    start_response("200 OK", EVENTS)
    def parts():
        yield b"data: a\\n\\n"
        go.wait(10)
        yield b"data: late\\n\\n"
    return parts()
worker.alive = False
faults = []
thread = threading.Thread(target=lambda: faults.append(serve(app)))
thread.start()
got = received(5)
go.set()
thread.join()
print(json.dumps([got, received(), faults]))
`
    expect(run(text)).toEqual([
      expect.stringMatching(/^HEAD <data: a\n\n>(?:<:\n>)*<> EOF$/),
      ' EOF',
      ['BrokenPipeError'],
    ])
  })

  test('that says nothing for a while gets a comment, but never within a line', () => {
    const text = `
def app(environ, start_response):
    start_response("200 OK", EVENTS)
    def parts():
        time.sleep(0.7)
        yield b"data: a"
        time.sleep(0.7)
        yield b"\\n\\n"
        time.sleep(0.7)
    return parts()
serve(app)
print(json.dumps(received()))
`
    expect(run(text)).toMatch(/^HEAD (?:<:\n>)+<data: a><\n\n>(?:<:\n>)+<>$/)
  })

  test('whose visitor does not read is not waited for', () => {
    const text = `
def app(environ, start_response):
    start_response("200 OK", EVENTS)
    def parts():
        while True:
            yield b"x" * 100_000
    return parts()
thread = threading.Thread(target=lambda: serve(app), daemon=True)
thread.start()
time.sleep(0.3)
worker.alive = False
time.sleep(1)
print(json.dumps([threads(), len(WATCH.open)]))
`
    expect(run(text)).toEqual([['flask-deploy-live'], 1])
  })
})

describe.runIf(hasPython)('a websocket', () => {
  const asked = '{"HTTP_UPGRADE": "WebSocket", "HTTP_SEC_WEBSOCKET_KEY": "x"}'

  test('is closed with 1001 once, then shut where nobody answers', () => {
    const text = `
def app(environ, start_response):
    ours.recv(100)
    return []
SILENCE = 60
worker.alive = False
thread = threading.Thread(target=lambda: serve(app, ${asked}))
thread.start()
got = received(5)
thread.join()
print(json.dumps(got))
`
    // The response that the app gives afterwards is gunicorn's matter.
    expect(run(text)).toMatch(/^\u0088\u0002\u0003\u00e9(?:HEAD <>)? EOF$/)
  })

  test('that is silent is pinged', () => {
    const text = `
def app(environ, start_response):
    time.sleep(1)
    return []
serve(app, ${asked})
print(json.dumps([received().startswith("\\x89\\x00"), len(WATCH.open)]))
`
    expect(run(text)).toEqual([true, 0])
  })

  test('gets nothing while a frame of the app’s is on its way', () => {
    const text = `
def app(environ, start_response):
    ours.sendall(b"frame")
    time.sleep(1)
    return []
thread = threading.Thread(target=lambda: serve(app, ${asked}))
thread.start()
time.sleep(0.8)
got = theirs.recv(1000).decode("latin-1")
thread.join()
print(json.dumps(got))
`
    expect(run(text)).toBe('frame')
  })
})
