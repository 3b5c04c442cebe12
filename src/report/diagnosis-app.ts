import { anyNeed, saidNeed } from '../config/needs.ts'
import type { Explanation } from '../errors.ts'
import { cutToBytes, visible, withoutStop } from '../text.ts'
import { explainSignal, signalInJournal } from './diagnosis-signals.ts'
import { quotedNames } from './diagnosis-tools.ts'
import type { Failure, Situation } from './failure.ts'
import { projectFile, type Traceback } from './traceback.ts'

/** Distributions whose name is not the module's (their own documentation); `_` for `-` needs no entry. */
const distributions: Readonly<Record<string, string>> = {
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  git: 'GitPython',
  jwt: 'PyJWT',
  MySQLdb: 'mysqlclient',
  PIL: 'Pillow',
  psycopg2: 'psycopg2-binary',
  sklearn: 'scikit-learn',
  yaml: 'PyYAML',
}

/** One kind of exception: what to do about it. The first that fits is taken. */
interface ExceptionRow {
  readonly fits: RegExp
  readonly cure: (
    match: RegExpExecArray,
    situation: Situation,
  ) => Pick<Explanation, 'cure' | 'input' | 'file'>
}

const exceptions: readonly ExceptionRow[] = [
  {
    fits: /^ModuleNotFoundError: No module named '([^'.]+)(?:\.[^']+)?'/,
    cure: ([, module = ''], { requirements, module: target }) =>
      module === target.split('.')[0]
        ? {
            cure: `Set \`app\` to the module that holds the app, and \`source\` to the folder that \`${module}\` is imported from.`,
            input: 'app',
          }
        : {
            cure: `Add \`${distributions[module] ?? module.replaceAll('_', '-')}\` to ${requirements}, or, where \`${module}\` is a module of the project, commit it or set \`source\`.`,
            file: requirements,
          },
  },
  {
    fits: /^ImportError: cannot import name '([^']+)' from '([^']+)'/,
    cure: ([, name = '', module = ''], { module: target, requirements }) =>
      module === target
        ? {
            cure: `Set \`app\` to a name that \`${module}\` has: there is no \`${name}\` in it.`,
            input: 'app',
          }
        : {
            cure: `Pin \`${module.split('.')[0]}\` in ${requirements} to a version that still has \`${name}\`, or update what imports it.`,
            file: requirements,
          },
  },
  {
    fits: anyNeed,
    cure: ({ input: line }) => ({
      cure: `Add ${quotedNames(saidNeed(line)?.packages ?? [])} to \`packages\`.`,
      input: 'packages',
    }),
  },
  {
    fits: /^ImportError: (lib[^:]+\.so[^:]*): cannot open shared object file/,
    cure: ([, library = '']) => ({
      cure: `Add the system package that brings \`${library}\` to \`packages\`.`,
      input: 'packages',
    }),
  },
  {
    fits: /^FileNotFoundError: \[Errno 2\] [^:]+: '([^']+)'/,
    cure: ([, path = ''], { name }) => neverBuilt(projectFile(path, name) ?? path),
  },
  {
    fits: /^jinja2\.exceptions\.TemplateNotFound: (\S+)/,
    cure: ([, template = '']) => neverBuilt(template),
  },
  {
    fits: /^KeyError: '([A-Z][A-Z0-9_]*)'$/,
    cure: ([, name = '']) => ({
      cure: `If \`${name}\` is an environment variable, add a line \`${name}=...\` to \`env\`.`,
      input: 'env',
    }),
  },
  {
    fits: /^(?:PermissionError|OSError): \[Errno (?:13|30)\] [^:]+: '([^']+)'/,
    cure: ([, path = ''], { name, source }) => {
      const file = projectFile(path, name)
      const own = file?.startsWith(`${source}/`) ? file.slice(source.length + 1) : file
      return own === undefined
        ? {
            cure: `Let the app write below its folder instead of \`${path}\`, to a path named in \`persist\`.`,
            input: 'persist',
          }
        : {
            cure: `Add \`${own}\` (or its folder) to \`persist\`: a release itself is read-only.`,
            input: 'persist',
          }
    },
  },
  {
    fits: /sqlite3\.OperationalError\W+(unable to open database file|attempt to write a readonly database)/,
    cure: () => ({
      cure: 'Keep the database in a folder that is named in `persist`, such as `instance`: a release itself is read-only.',
      input: 'persist',
    }),
  },
  {
    fits: /no such table: |relation "[^"]+" does not exist|Table '[^']+' doesn't exist/,
    cure: () => ({
      cure: 'Have the tables made: set `release-command` (such as `flask db upgrade`), or `first-deploy-command` for what may run only once (such as `flask init-db`).',
      input: 'release-command',
    }),
  },
  {
    fits: /^(?:redis\.exceptions\.|kombu\.exceptions\.)\w+: .*(?:[Cc]onnection refused|Error 111)/,
    cure: () => ({
      cure: 'Set `services: redis`, or give the app the address of its Redis in `env`; a process that needs none of it is left out by `processes`.',
      input: 'services',
    }),
  },
  {
    fits: /OperationalError.*(could not connect|Connection refused|could not translate host name|Can't connect)/,
    cure: () => ({
      cure: "Check the database's address in `env`, and that the database runs and lets this server in; `services: postgresql` has this server run one.",
      input: 'env',
    }),
  },
  {
    // The entry module says so of an import that ends the process.
    fits: /^RuntimeError: sys\.exit\(.*\) was called while (\S+) was imported/,
    cure: ([, module = '']) => ({
      cure: `Give it what it says that it lacks (\`env\`), or set \`app\` to a module that only makes the app: \`${module}\` reads its command line, or ends, when it is imported. A project that brings its own server is run by \`web-command\`.`,
      input: 'app',
    }),
  },
  {
    fits: /^(SyntaxError|IndentationError|TabError):/,
    cure: (_, { python }) => ({
      cure: `Correct the line, or, where it is right for a newer Python${python === '' ? '' : ` than ${python}`}, set \`python\`.`,
      input: 'python',
    }),
  },
]

/** What the app's own traceback tells, e.g. after it died at import. */
export function explainTraceback(
  begin: string,
  { exception, frame }: Traceback,
  situation: Situation,
  lines: readonly string[] = [],
): Explanation {
  const place = frame === undefined ? '' : ` (${frame.file}, line ${frame.line})`
  // A program that ends by itself has said why before.
  const said = /^RuntimeError: sys\.exit\(/.test(exception) ? lastWord(beforeTraceback(lines)) : undefined
  const cause = `${begin}: ${exception}${place}${said === undefined ? '' : `; what it said before: ${said}`}.`
  const found = { ...advice(exception, situation) }
  return { cause, ...found, ...(frame === undefined ? {} : frame) }
}

/** A file that is not in the release: as a rule one that a build makes, and git does not know. */
function neverBuilt(file: string): Pick<Explanation, 'cure' | 'input'> {
  return {
    cure: `Commit \`${cutToBytes(visible(file), 200)}\`, or, where a build makes it (\`npm run build\`), build it in the workflow before this step and name its folder in \`include\`.`,
    input: 'include',
  }
}

/** What stands above the last traceback. */
function beforeTraceback(lines: readonly string[]): readonly string[] {
  return lines.slice(
    0,
    Math.max(
      0,
      lines.findLastIndex((line) => line.startsWith('Traceback (most recent')),
    ),
  )
}

function advice(exception: string, situation: Situation): Pick<Explanation, 'cure' | 'input' | 'file'> {
  for (const row of exceptions) {
    const match = row.fits.exec(exception)
    if (match !== null) return row.cure(match, situation)
  }
  return {
    cure: 'Correct the app so that it starts with the packages and the `env` of this deploy; its last lines are in the log.',
  }
}

/** The last thing that the app itself said, not gunicorn (`[time] [process] [LEVEL]`) and not systemd about its units. */
export function lastWord(lines: readonly string[]): string | undefined {
  const others =
    /^\[[^\]]+\] \[\d+\] \[[A-Z]+\] |^(web-[a-z0-9-]+-[0-9]{14}-|(Starting|Started|Stopping|Stopped|Listening on|Closed) web-)/
  const last = lines.findLast((line) => line.trim() !== '' && !others.test(line))?.trim()
  return last === undefined ? undefined : withoutStop(cutToBytes(visible(last), 300))
}

/** The app's process ended without a traceback. */
export function explainExit({ lines }: Failure): Explanation {
  const signal = signalInJournal(lines, 'main')
  if (signal !== undefined) return explainSignal('The new release, while it started,', signal)
  if (lines.some((line) => /\bKilled\b|out of memory|oom-kill/i.test(line))) {
    return {
      cause:
        'The app was killed while it started: the server has too little memory for it beside the old release.',
      cure: 'Set `workers` to 1, or give the server more memory or some swap.',
      input: 'workers',
    }
  }
  const last = lastWord(lines)
  return {
    cause: `The app ended while it started${last === undefined ? ', without a word' : `; its last line is: ${last}`}.`,
    cure: "Look whether the app calls `sys.exit()` or `app.run()` when it is imported (its last lines are in the log); set `app` to a module that only makes the app, or `web-command` to what starts the project's own server.",
  }
}
