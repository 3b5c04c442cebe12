/** One call within a Python traceback. */
export interface Frame {
  /** Relative to the repository, with `/`. */
  readonly file: string
  readonly line: number
}

/** The last Python traceback in an app's log. */
export interface Traceback {
  /** Its last line, e.g. `ModuleNotFoundError: No module named 'yaml'`. */
  readonly exception: string
  /** The deepest call that is in the project's own code; undefined where none is. */
  readonly frame: Frame | undefined
}

/**
 * Finds the last Python traceback among log lines (the format of Python's `traceback` module, the same since 3.0; the
 * bars of exception groups, 3.11, are passed over).
 * @param name NAME: the project's files are those below /srv/web-NAME/releases/ID and in no folder with a dot in front
 */
export function lastTraceback(lines: readonly string[], name: string): Traceback | undefined {
  const plain = lines.map((line) =>
    line.replace(/^[ ]*(?:[|+][ -]*)+/, (bars) => ' '.repeat(bars.length - 2)),
  )
  let exception: string | undefined
  let frame: Frame | undefined
  for (const [at, line] of plain.entries()) {
    if (!/^\s*Traceback \(most recent call last\):/.test(line)) continue
    const end = endOfTraceback(plain, at + 1)
    const last = plain[end]?.trim()
    if (last === undefined) continue
    const deepest = plain
      .slice(at, end)
      .flatMap((one) => projectFrame(one, name) ?? [])
      .at(-1)
    const chained = plain.slice(Math.max(0, at - 3), at).some(isLink)
    exception = last
    // "During handling of the above exception": the cause's frame is better than none.
    frame = deepest ?? (chained ? frame : undefined)
  }
  return exception === undefined ? undefined : { exception, frame }
}

/**
 * Finds where the app hung, among log lines that hold what Python's `faulthandler` printed of each thread ("most recent
 * call first"): the deepest call in the project's own code, of the thread that imports, else of one that has a request.
 * @param name as for {@link lastTraceback}
 */
export function hangingFrame(lines: readonly string[], name: string): Frame | undefined {
  const threads: { readonly head: string; readonly calls: string[] }[] = []
  for (const line of lines) {
    if (/^(Current thread|Thread) 0x[0-9a-f]+.*\(most recent call first\):/.test(line))
      threads.push({ head: line, calls: [] })
    else threads.at(-1)?.calls.push(line)
  }
  const frames = (own: boolean) =>
    threads
      .filter(({ head, calls }) =>
        own ? head.startsWith('Current') : calls.some((call) => call.includes('/gunicorn/workers/')),
      )
      .flatMap(({ calls }) => calls.flatMap((call) => projectFrame(call, name) ?? []).slice(0, 1))
  return frames(true)[0] ?? frames(false)[0]
}

function isLink(line: string): boolean {
  return /^(During handling of the above exception|The above exception was the direct cause)/.test(
    line.trim(),
  )
}

/** The index of the exception's line: the first that is not set in. Lines.length where the log ends before it. */
function endOfTraceback(lines: readonly string[], from: number): number {
  const indent = /^\s*/.exec(lines[from - 1] ?? '')?.[0].length ?? 0
  const found = lines.findIndex(
    (line, at) => at >= from && line.trim() !== '' && !/^\s/.test(line.slice(indent)),
  )
  return found < 0 ? lines.length : found
}

function projectFrame(line: string, name: string): Frame | undefined {
  const [, path = '', number = ''] = /^\s+File "([^"]+)", line ([0-9]+)/.exec(line) ?? []
  const file = projectFile(path, name)
  return file === undefined || number.length > 6 ? undefined : { file, line: Number(number) }
}

/** A path on the server as a path in the repository; undefined for what is not the project's own. */
export function projectFile(path: string, name: string): string | undefined {
  const below = `/srv/web-${name}/`
  if (!path.startsWith(below)) return undefined
  const file = /^(?:current|releases\/[^/]+)\/(.+)$/.exec(path.slice(below.length))?.[1]
  return file !== undefined && !file.startsWith('.') && isProjectFile(file) ? file : undefined
}

/**
 * Says whether a path that a server named can be a file of the project: below its folder. GitHub
 * shows an annotation at whatever file it names.
 */
export function isProjectFile(file: string): boolean {
  return file.length <= 500 && !/[\\:\0-\x1f]/.test(file) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(file)
}
