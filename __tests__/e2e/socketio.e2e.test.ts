import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { checkout } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

const chat = `from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
socketio = SocketIO(app)
heard = []


@app.get("/")
def index():
    return "chat"


@socketio.on("say")
def say(word):
    heard.append(word)
    emit("heard", heard)


if __name__ == "__main__":
    socketio.run(app)
`

describe.skipIf(!able.ok)(`Socket.IO${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('holds its sessions across requests, by polling and by websocket', async () => {
    server = await boot({ suite: 'bookworm' })
    const { address } = server
    const project = checkout({
      'chat.py': chat,
      'requirements.txt': 'flask\nflask-socketio\nsimple-websocket\n',
    })
    const ran = await runs(server, project.folder, { workers: '4', app: 'chat:app' }).good()
    expect(ran.report.found.map(({ detail }) => detail).join('\n')).toContain('Socket.IO keeps its sessions')
    expect(ran.report.warnings.map(({ code }) => code)).toContain('one-worker')

    const path = '/socket.io/?EIO=4&transport=polling'
    const open = await ask(address, 'GET', path)
    const { sid } = JSON.parse(open.slice(1)) as { readonly sid: string }
    expect(await ask(address, 'POST', `${path}&sid=${sid}`, '40')).toBe('OK')
    expect(await ask(address, 'GET', `${path}&sid=${sid}`)).toMatch(/^40\{/)
    for (let turn = 1; turn <= 12; turn += 1) {
      expect(await ask(address, 'POST', `${path}&sid=${sid}`, `42["say","${turn}"]`)).toBe('OK')
      expect(await ask(address, 'GET', `${path}&sid=${sid}`)).toContain(`"${turn}"]]`)
    }
    // Another visitor, over a websocket, and in the same process.
    expect(await overWebsocket(address)).toContain('"12","by websocket"]]')
  })
})

/** One request as a browser's script would make it. */
function ask(host: string, method: string, path: string, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      host,
      'content-type': 'text/plain;charset=UTF-8',
      'content-length': Buffer.byteLength(body),
    }
    const asking = request({ host, path, method, headers, agent: false, timeout: 20_000 }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      answer.on('end', () => resolve(text))
      answer.on('error', reject)
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

/** Says a word and waits for the answer. */
function overWebsocket(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${host}/socket.io/?EIO=4&transport=websocket`)
    const late = setTimeout(() => reject(new Error('no answer within 15 s')), 15_000)
    socket.onerror = () => reject(new Error('the websocket was refused'))
    socket.onmessage = ({ data }) => {
      const text = String(data)
      if (text.startsWith('0')) socket.send('40')
      if (text.startsWith('40')) socket.send('42["say","by websocket"]')
      if (!text.startsWith('42')) return
      clearTimeout(late)
      socket.close()
      resolve(text)
    }
  })
}
