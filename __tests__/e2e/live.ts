import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { now } from './load.ts'

/** A stream or a websocket that was open for a while: how it lived and how it ended. */
export interface Life {
  /** The version of the app that it was connected to. */
  readonly version: string
  /** ms since 1970, by {@link now}. */
  readonly opened: number
  readonly ended: number
  /** `end`: the last chunk came; `close CODE`: a close frame with that code; else what a client has to call an error. */
  readonly how: string
  /** What was said meanwhile, the version aside. */
  readonly heard: readonly string[]
}

/** A visitor who comes back whenever the connection ends, as browsers' EventSource and Socket.IO's clients do. */
export interface Visitor {
  /** One for each connection that has ended, in their order. */
  readonly lives: readonly Life[]
  /** The version that the connection in hand is to; '' between two. */
  readonly version: () => string
  /** Stays away from now on. */
  readonly leave: () => void
}

/** ms that EventSource waits before it connects anew; browsers wait for 3 s or so. */
const AGAIN_MS = 200

/** Follows an event stream; its first event is `data: VERSION`. Reads as the HTML standard has it (9.2.6), fields aside. */
export function followEvents(host: string, path: string): Visitor {
  return comingBack((life) => {
    let asking: ClientRequest | undefined
    const gone = new Promise<string>((resolve) => {
      asking = request({ host, path, agent: false, headers: { accept: 'text/event-stream' } }, (answer) =>
        readEvents(answer, life.hear, resolve),
      )
      asking.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      asking.end()
    })
    return { gone, close: () => asking?.destroy() }
  })
}

function readEvents(answer: IncomingMessage, hear: (text: string) => void, end: (how: string) => void): void {
  if (answer.statusCode !== 200 || answer.headers['content-type']?.startsWith('text/event-stream') !== true) {
    end(`status ${answer.statusCode}`)
    return
  }
  let text = ''
  answer.setEncoding('utf8')
  answer.on('data', (chunk: string) => {
    text += chunk
    for (;;) {
      const at = text.indexOf('\n\n')
      if (at < 0) break
      const lines = text.slice(0, at).split('\n')
      text = text.slice(at + 2)
      const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
      if (data.length > 0) hear(data.join('\n'))
    }
  })
  answer.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  answer.on('end', () => end(answer.complete ? 'end' : 'incomplete'))
}

/** Keeps a websocket open, which says its version first; the client is Node's own (undici's). */
export function followSocket(host: string, path: string): Visitor {
  return speaking(host, path, () => undefined)
}

/** The same as Socket.IO's clients do it (Engine.IO 4), on a websocket from the start; it waits for the event `version`. */
export function followSocketIo(host: string): Visitor {
  return speaking(host, '/socket.io/?EIO=4&transport=websocket', (text) =>
    text.startsWith('0') ? '40' : text === '2' ? '3' : undefined,
  )
}

function speaking(host: string, path: string, reply: (text: string) => string | undefined): Visitor {
  return comingBack((life) => {
    const socket = new WebSocket(`ws://${host}${path}`)
    const gone = new Promise<string>((resolve) => {
      socket.onmessage = ({ data }) => {
        const text = String(data)
        const word = reply(text)
        if (word !== undefined) socket.send(word)
        const [, version] = /^42\["version","(\w+)"\]$/.exec(text) ?? []
        life.hear(version === undefined ? text : `version ${version}`)
      }
      socket.onclose = ({ code, wasClean }) => resolve(`close ${code}${wasClean ? '' : ' unclean'}`)
    })
    return { gone, close: () => socket.close() }
  })
}

/** How a download ended: `end` where it looks whole. */
export function download(host: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asking = request({ host, path, agent: false }, (answer) => {
      answer.resume()
      answer.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      answer.on('end', () => resolve(answer.complete ? 'end' : 'incomplete'))
    })
    asking.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    asking.end()
  })
}

interface Connection {
  readonly gone: Promise<string>
  readonly close: () => void
}

function comingBack(connect: (life: { readonly hear: (text: string) => void }) => Connection): Visitor {
  const lives: Life[] = []
  let version = ''
  let over = false
  let current: Connection | undefined
  const visit = async () => {
    while (!over) {
      const heard: string[] = []
      let of = ''
      const opened = now()
      const hear = (text: string) => {
        const [, named] = /^version (\w+)$/.exec(text) ?? []
        if (named === undefined) heard.push(text)
        else {
          of = named
          version = named
        }
      }
      current = connect({ hear })
      const how = await current.gone
      version = ''
      if (!over) lives.push({ version: of, opened, ended: now(), how, heard })
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
  void visit()
  return {
    lives,
    version: () => version,
    leave: () => {
      over = true
      current?.close()
    },
  }
}
