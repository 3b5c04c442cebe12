import { table } from '../../src/inputs/table.ts'
import { quote } from '../../src/quote.ts'
import { library, runProgram, type Stage } from './on-server.ts'
import { lines } from './texts.ts'
import { accepted, expectSame, sample, sift, tell } from './trial.ts'

/** Each is a run of several programs, so there are few; their words are tried by the thousand elsewhere. */
const count = 40

/**
 * `persist` and `static` done by the program's own functions: every link is where it was asked for and leads to the
 * folder of that very name.
 */
export async function pathsArriveOnTheDisk(stage: Stage) {
  const trial = { where: stage.suite, renderer: 'the disk has every path', file: stage.file }
  const given = sample(lines(), count).map((text, at) => `p${at}/${text}`)
  const sifted = sift(given, (text) => {
    const [path = ''] = accepted(table.app.persist.kind(text, 'persist'))
    const [folder] = accepted(table.site.static.kind(`/${path}: f/${path}`, 'static'))
    return { path, url: folder?.url ?? '', folder: folder?.folder ?? '' }
  })
  const root = '/srv/web-shop/releases/R'
  const calls = sifted.kept.map(
    ({ rendered: { path, url, folder } }) => `persist ${quote(path)} ${quote(path)}
mkdir -p ${quote(`${root}/${folder}`)}
publish ${quote(url)} ${quote(folder)}
test -d ${quote(`${root}/${path}/.`)}
readlink -z ${quote(`${root}/${path}`)} >&4
readlink -z ${quote(`${root}/.public${url}`)} >&4
`,
  )
  await stage.server.must(
    `id -u web-shop >/dev/null 2>&1 || useradd --system --user-group web-shop
    rm -rf /var/lib/web-shop /srv/web-shop; mkdir -p ${root} /run/odd; install -d -o web-shop /var/lib/web-shop`,
  )
  const start = `name=shop run=abc dir=/run/odd root=${root} release=R; exec 4>&3 3>/dev/null; cd /`
  const program = [library('events.sh', 'files.sh', 'release.sh', 'keep.sh'), start, ...calls].join('\n')
  const read = await runProgram(stage.server, program)
  expectSame(
    trial,
    sifted.kept.flatMap(({ rendered: { path, folder } }) => [
      `/var/lib/web-shop/${path}`,
      `${root}/${folder}`,
    ]),
    read,
  )
  tell(trial, sifted, 0.4)
}
