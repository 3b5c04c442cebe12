import type { Module } from './modules.ts'
import { sourceOf } from './modules.ts'
import type { PythonSource } from './python-source.ts'
import type { Tree } from './tree.ts'

/**
 * What happens where a module is imported: `flask`: it calls `app.run()`, which Flask leaves undone while
 * FLASK_RUN_FROM_CLI is set (flask/app.py); `other`: it starts a server, reads the command line or ends.
 */
export type Start = 'no' | 'flask' | 'other'

const readsCommandLine = /\bsys\.argv\b|\bparse_(?:known_)?args\s*\(/
const ends = /^(?:sys\.exit|exit|quit|os\._exit)$/
/** Calls that come back only when the program ends. */
const serves =
  /(?:^|\.)(?:serve|serve_forever|run_simple|run_server|run_forever|run_webserver|infinity_polling)$|^(?:\w+\.)?wsgi\.server$|^(?:uvicorn|hypercorn|web|bjoern|fire)\.(?:run|run_app|Fire)$|^(?:Fire|run_app)$/
const command = /^(?:click|typer|app\.cli|cli|\w*\.?command|\w*\.?group)\b/

/** Says whether a module starts something of its own when it is imported, not under a main guard. */
export function startAt(tree: Tree, module: Module): Start {
  return startOf(sourceOf(tree, module))
}

/** The same for a module that was read. */
export function startOf(source: PythonSource): Start {
  return worst(source.calls.map((text) => startBy(source, text, 0)))
}

function startBy(source: PythonSource, text: string, depth: number): Start {
  if (readsCommandLine.test(text)) return 'other'
  const head =
    /^(?:[\p{L}_][\p{L}\p{M}\p{N}_.]*\s*=\s*)?(?:await\s+)?([\p{L}_][\p{L}\p{M}\p{N}_.]*)\s*\(/u.exec(
      text,
    )?.[1]
  if (head === undefined) return 'no'
  if (ends.test(head) || serves.test(head) || /\bIOLoop\b.*\.start\s*\(|\)\.serve_forever\s*\(/.test(text))
    return 'other'
  if (head.endsWith('.run')) return runOf(source, head.slice(0, -'.run'.length))
  const called = source.functions.get(head)
  // Only what is called for its own sake: `app = create_app()` is not.
  if (called === undefined || depth > 3 || !text.startsWith(head)) return 'no'
  if (called.decorators.some((one) => command.test(one))) return 'other'
  return worst(called.calls.map((one) => startBy(source, one, depth + 1)))
}

function runOf(source: PythonSource, receiver: string): Start {
  const first = receiver.split('.')[0] ?? ''
  const binding = source.bindings.findLast((one) => one.name === first)
  if (binding?.kind === 'import' && binding.original === undefined) {
    return /^(?:uvicorn|hypercorn)$/.test(binding.module) ? 'other' : 'no'
  }
  if (/(?:^|\.)(?:socketio|sio|socket_io|manager|mcp|bot|client)$/i.test(receiver)) return 'other'
  if (
    binding?.kind === 'assign' &&
    /^[\w.]*\b(?:SocketIO|Manager|\w*Dash\w*|Bottle|Sanic|Quart)\s*\(/.test(binding.value)
  ) {
    return 'other'
  }
  return /(?:^|_|\.)(?:app|application|server|flask|api|web|site)\w*$/i.test(receiver) ? 'flask' : 'no'
}

function worst(starts: readonly Start[]): Start {
  return starts.includes('other') ? 'other' : starts.includes('flask') ? 'flask' : 'no'
}
