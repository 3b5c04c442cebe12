import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from '../server/boot.ts'
import type { Ran } from './action.ts'
import type { Marked } from './marked.ts'

/** One place where a secret was found, in one or several spellings. */
export interface Hit {
  /** `files`, `journal`, `argv`, ... */
  readonly place: string
  /** A path, or what else says where. */
  readonly where: string
  readonly spellings: readonly string[]
  /** `0600`, and `root:root`; of files only. */
  readonly mode?: string
  readonly owner?: string
  /** Who of the users that were asked for can read it; of files only. */
  readonly readers?: readonly string[]
}

/** What a search looked at, in words with figures, and what it found. */
export interface Found {
  readonly places: readonly string[]
  readonly hits: readonly Hit[]
  /** Core dumps that were written meanwhile. */
  readonly cores: readonly string[]
}

/** Users of a server who might read what is not theirs; `web-hello` is the app. */
const USERS = ['nobody', 'www-data', 'deploy', 'web-hello-build', 'web-hello']

const script = '/root/search.py'

/** Searches a server again and again for what is marked. */
export async function searcher(server: Server, { spellings }: Pick<Marked, 'spellings'>) {
  const asJson = (all: Iterable<readonly [string, Buffer]>) =>
    JSON.stringify(Object.fromEntries(Array.from(all, ([name, bytes]) => [name, bytes.toString('hex')])))
  await server.must(`cat > ${script}`, { stdin: readFileSync(join(import.meta.dirname, 'search.py')) })
  const since = Number(await server.must('date +%s.%N'))
  return {
    /** Looks at the processes until it is asked for what it saw. */
    watch: () => {
      const stop = `/run/stop-${performance.now()}`
      const seen = server.must(`exec python3 -I ${script} sample ${stop}`, { stdin: asJson(spellings) })
      // Where the test fails first, nobody asks.
      seen.catch(() => {})
      return async (): Promise<Found> => {
        await server.must(`touch ${stop}`)
        const { rounds, arguments: count, environments, hits } = JSON.parse(await seen)
        const often = `${rounds} looks`
        return {
          places: [
            `${count} different argument lists of all processes, in ${often}`,
            `${environments} different sets of variables that everybody can see, in ${often}`,
          ],
          hits,
          cores: [],
        }
      }
    },
    /**
     * Looks at all that the server keeps; files are read where they changed since this searcher was made.
     * @param more what to look for besides
     */
    look: async (more: Iterable<readonly [string, Buffer]> = []): Promise<Found> => {
      const users = (
        await server.must(`for one in ${USERS.join(' ')}; do ! id -u $one >&2 || echo $one; done`)
      ).trim()
      const command = `exec python3 -I ${script} search ${since} ${users.replaceAll('\n', ' ')}`
      const { files, units, journal, processes, hits } = JSON.parse(
        await server.must(command, { stdin: asJson([...spellings, ...more]) }),
      )
      return {
        places: [
          `${files.files} files, of which the ${files.changed} that are newer were read (${Math.ceil(files.bytes / 1e6)} MB), names and links too`,
          `${units.bytes} bytes that systemctl shows everybody of all units`,
          `${journal.entries} entries of the journal, all fields`,
          `variables of ${processes.processes} processes`,
        ],
        hits,
        cores: files.cores,
      }
    },
  }
}

/** Looks through what runs left behind on the runner: in what they wrote, and in folders of theirs. */
export function lookAtRunner(
  runs: readonly Ran[],
  folders: Readonly<Record<string, string>>,
  { spellings, secrets }: Pick<Marked, 'spellings' | 'secrets'>,
): Found {
  const texts: { readonly place: string; readonly where: string; readonly text: Buffer }[] = []
  for (const [at, ran] of runs.entries()) {
    // GitHub takes these lines out of the log: they are what it masks by.
    const log = ran.log.replaceAll(/^::add-mask::.*$/gm, '')
    const said = {
      log,
      // Where an encoding was broken into lines.
      'log without its blanks': log.replace(/\s+/g, ''),
      summary: ran.summary,
      'outputs, report included': JSON.stringify(ran.outputs),
      state: JSON.stringify([...ran.state]),
    }
    for (const [place, text] of Object.entries(said))
      texts.push({ place, where: `run ${at + 1}`, text: Buffer.from(text) })
  }
  for (const [place, folder] of Object.entries(folders)) {
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const where = join(file.parentPath, file.name)
      if (file.isFile())
        texts.push({ place, where, text: Buffer.concat([Buffer.from(where), readFileSync(where)]) })
    }
  }
  const places = [...new Set([...texts.map(({ place }) => place), ...Object.keys(folders)])].map((place) => {
    const own = texts.filter((one) => one.place === place)
    const bytes = own.reduce((sum, { text }) => sum + text.length, 0)
    return `${place}: ${bytes} bytes in ${own.length} ${place in folders ? 'files' : 'runs'}`
  })
  const all = [...spellings, ...[...secrets].flatMap(([name, value]) => partsOf(name, value))]
  const hits = texts.flatMap(({ place, where, text }) => {
    const found = all.filter(([, bytes]) => text.includes(bytes)).map(([name]) => name)
    return found.length === 0 ? [] : [{ place, where, spellings: found }]
  })
  return { places, hits, cores: [] }
}

/** Every part that stands by itself, one too short to be marked too: as it is and, where it is long, in base64. */
function partsOf(name: string, value: string): readonly (readonly [string, Buffer])[] {
  const parts = value.split(/[^A-Za-z0-9+/=]+/).filter((part) => part.length >= 4)
  return parts.flatMap((part) => [
    [name, Buffer.from(part)] as const,
    ...(part.length < 8 ? [] : [[`${name} in base64`, Buffer.from(base64Of(part))] as const]),
  ])
}

/** All digits but those that what follows has a part in. */
function base64Of(text: string): string {
  return Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1)
}
