/** What an image made from a Dockerfile runs. */
export interface Container {
  /** The command, as shell text; undefined where the image's base decides. */
  readonly command: string | undefined
  /** Which instruction it comes from. */
  readonly instruction: 'CMD' | 'ENTRYPOINT'
  readonly variables: ReadonlyMap<string, string>
}

type Form = { readonly words: readonly string[] } | { readonly text: string }

interface Stage {
  entrypoint: Form | undefined
  command: Form | undefined
  variables: Map<string, string>
}

/** Reads the last stage of a Dockerfile (Dockerfile reference: FROM, ENV, ENTRYPOINT, CMD). */
export function readDockerfile(source: string): Container {
  const stages = new Map<string, Stage>()
  let stage: Stage = { entrypoint: undefined, command: undefined, variables: new Map() }
  for (const line of instructions(source)) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/s.exec(line) ?? []
    switch (word.toUpperCase()) {
      case 'FROM': {
        const [, image = '', name] = /^(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?/i.exec(rest) ?? []
        const from = stages.get(image.toLowerCase())
        stage = {
          entrypoint: from?.entrypoint,
          command: from?.command,
          variables: new Map(from?.variables),
        }
        if (name !== undefined) stages.set(name.toLowerCase(), stage)
        break
      }
      case 'ENV':
        for (const [name, value] of variablesOf(rest)) stage.variables.set(name, value)
        break
      case 'ENTRYPOINT':
        // An ENTRYPOINT takes back the CMD of the image below, not the one of this stage that follows it.
        stage.entrypoint = formOf(rest)
        break
      case 'CMD':
        stage.command = formOf(rest)
        break
    }
  }
  const { entrypoint, command, variables } = stage
  return {
    command: commandOf(entrypoint, command),
    instruction: entrypoint === undefined ? 'CMD' : 'ENTRYPOINT',
    variables,
  }
}

function commandOf(entrypoint: Form | undefined, command: Form | undefined): string | undefined {
  if (entrypoint === undefined) return command === undefined ? undefined : textOf(command)
  if ('text' in entrypoint || command === undefined) return textOf(entrypoint)
  const behind = 'words' in command ? command.words : ['/bin/sh', '-c', command.text]
  return textOf({ words: [...entrypoint.words, ...behind] })
}

function textOf(form: Form): string {
  return 'text' in form ? form.text : form.words.map(quotedWord).join(' ')
}

/** A variable in a word of the exec form is no variable, but is meant as one by whoever wrote it. */
function quotedWord(word: string): string {
  return /^[\w@%+=:,./$-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function formOf(rest: string): Form {
  if (rest.trimStart().startsWith('[')) {
    try {
      const words: unknown = JSON.parse(rest)
      if (Array.isArray(words) && words.every((one) => typeof one === 'string')) return { words }
    } catch {
      // What is no JSON is a shell command, for Docker too.
    }
  }
  return { text: rest }
}

/** `A=1 B="two words"`, or `A the whole rest`. */
function variablesOf(rest: string): readonly (readonly [string, string])[] {
  const pairs = [...rest.matchAll(/([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)/g)]
  if (/^\w+=/.test(rest)) {
    return pairs.map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/s, '$2')] as const)
  }
  const [, name, value] = /^(\w+)\s+(.*)$/s.exec(rest) ?? []
  return name === undefined || value === undefined ? [] : [[name, value.trim()]]
}

/** The instructions, with continued lines joined and comments left out. */
function instructions(source: string): readonly string[] {
  const mark = /^#\s*escape\s*=\s*`/m.test(source) ? '`' : '\\'
  const lines: string[] = []
  let open = ''
  let until: string | undefined
  for (const raw of source.replaceAll('\r\n', '\n').split('\n')) {
    if (until !== undefined) {
      if (raw.trim() === until) until = undefined
      continue
    }
    if (/^\s*#/.test(raw) || (raw.trim() === '' && open !== '')) continue
    const line = raw.trimEnd()
    if (line.endsWith(mark)) {
      open += `${line.slice(0, -1)} `
      continue
    }
    const whole = `${open}${line}`.trim()
    open = ''
    until = /^(?:RUN|COPY|ADD)\b.*<<-?["']?(\w+)["']?/i.exec(whole)?.[1]
    if (whole !== '') lines.push(whole)
  }
  return lines
}
