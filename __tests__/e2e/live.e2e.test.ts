import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { type ActionOptions, reach, start } from './action.ts'
import { download, followEvents, followSocket, followSocketIo, type Visitor } from './live.ts'
import { now } from './load.ts'
import { checkout } from './projects.ts'
import { until } from './traces.ts'

const able = canBoot()

/** Streams of all kinds, each of which says its version first. */
const app = (version: string) => `import queue
import time

from flask import Flask, Response
from flask_sock import Sock
from flask_socketio import SocketIO, emit

app = Flask(__name__)
sock = Sock(app)
socketio = SocketIO(app)
VERSION = ${JSON.stringify(version)}


@app.get("/")
def index():
    return VERSION


def events(parts):
    def stream():
        yield "data: version %s\\n\\n" % VERSION
        yield from parts()
    return Response(stream(), content_type="text/event-stream")


@app.get("/ticks")
def ticks():
    """Says something all the time."""
    def parts():
        try:
            for count in range(10_000):
                time.sleep(0.2)
                yield "data: %d\\n\\n" % count
        finally:
            print("ticks of %s were closed" % VERSION)
    return events(parts)


@app.get("/silent")
def silent():
    """Waits for what never comes, as one that listens to a queue does."""
    def parts():
        yield queue.Queue().get()
    return events(parts)


@app.get("/export")
def export():
    """A long download of unknown length, which is no event stream."""
    def rows():
        for count in range(10_000):
            yield "%d\\n" % count
            time.sleep(0.2)
    return Response(rows(), content_type="text/csv")


@socketio.on("connect")
def connect():
    emit("version", VERSION)


@sock.route("/socket")
def echo(ws):
    ws.send("version " + VERSION)
    while True:
        ws.send(ws.receive())


@sock.route("/deaf")
def deaf(ws):
    """Never reads, and says something all the time."""
    ws.send("version " + VERSION)
    while True:
        time.sleep(0.2)
        ws.send("tick")
`
/** Seconds; the input \`timeout\`. */
const timeout = 6

describe.skipIf(!able.ok)(`streams and websockets${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  const visitors: Visitor[] = []
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) visitor.leave()
    await server?.stop()
  })

  test('live for `timeout` after the flip, end properly, and come back to the new release', async () => {
    server = await boot({ suite: 'bookworm' })
    const { address } = server
    const requirements = 'flask\nflask-sock\nflask-socketio\nsimple-websocket\n'
    const project = checkout({ 'app.py': app('one'), 'requirements.txt': requirements })
    const options: ActionOptions = {
      workspace: project.folder,
      inputs: { ...reach(server), app: 'app:app', timeout: String(timeout) },
    }
    const first = await start(options).ended
    expect(first.status, first.log).toBe(0)
    const opened = now()
    const kinds = {
      ticks: followEvents(address, '/ticks'),
      silent: followEvents(address, '/silent'),
      socket: followSocket(address, '/socket'),
      deaf: followSocket(address, '/deaf'),
      socketIo: followSocketIo(address),
    }
    const all = Object.values(kinds)
    visitors.push(...all)
    await until('all are connected', async () => all.every((one) => one.version() === 'one'))

    project.commit({ 'app.py': app('two') })
    // So long that nginx would have taken an app that says nothing for dead.
    await until('some time', async () => now() - opened > (timeout + 15 + 2) * 1000)
    const exported = download(address, '/export')
    const second = start(options)
    await second.said('Visitors get release')
    const flipped = now()
    const ran = await second.ended
    expect(ran.status, ran.log).toBe(0)
    await until('all have come back', async () => all.every((one) => one.version() === 'two'), 40_000)

    const ends = Object.entries(kinds).flatMap(([kind, { lives }]) =>
      lives.map(({ version, how, ended }) => ({ kind, version, how, after: (ended - flipped) / 1000 })),
    )
    for (const { kind, how, after } of ends)
      console.log(`${kind}: "${how}" ${after.toFixed(1)} s after the flip`)
    const end = (kind: string, how: string) => ({ kind, version: 'one', how, after: expect.any(Number) })
    expect(ends).toEqual([
      end('ticks', 'end'),
      end('silent', 'end'),
      end('socket', 'close 1001'),
      end('deaf', 'close 1001'),
      end('socketIo', 'close 1001'),
    ])
    for (const { kind, after } of ends) {
      expect(after, kind).toBeGreaterThanOrEqual(timeout)
      expect(after, kind).toBeLessThan(timeout + 8)
    }
    // Events came when they were said, and all of them.
    const [ticks] = kinds.ticks.lives
    const counts = ticks?.heard ?? []
    expect(counts).toEqual(counts.map((_, at) => String(at)))
    expect(counts.length).toBeGreaterThan(100)
    expect(await server.must("journalctl -u 'web-hello-*'")).toContain('ticks of one were closed')
    // What was cut off must not look whole.
    expect(await exported).not.toBe('end')
    expect(await server.must("journalctl -u 'web-hello-*'")).not.toContain('Traceback')
  })
})
