import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import type { Server } from '../server/boot.ts'
import { visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'

/** The attacker's program, which says in its first lines how it is called and what it tells. */
export const attackerProgram = readFileSync(join(import.meta.dirname, 'attacks/attacker.py'), 'utf8')

/** Whom it attacks: an app with something to steal everywhere. */
export const victim = {
  inputs: { name: 'victim', domain: 'victim.example', env: 'SECRET=q-the-secret-of-the-victim' },
  repository: { repository: 'someone/victim', repositoryId: '1' },
  project: () => tinyProject({ ...victim.version(1), 'static/a.txt': 'a\n' }),
  version: (number: number) => ({ 'app.py': treasure.replace('version 1', `version ${number}`) }),
}

const treasure = `import os

${tinyApp}
print("said by the victim", flush=True)
notes = os.path.expanduser("~/notes")
if not os.path.exists(notes):
    with open(notes, "w") as file:
        file.write("of the victim")


@app.route("/notes")
def read_notes():
    with open(notes) as file:
        return file.read()
`

/** The victim serves this version, its file and what it has stored, and nobody else has put a word into its journal. */
export async function expectUnharmed(server: Server, version: number): Promise<void> {
  const get = async (path: string) => (await visit(server, path, victim.inputs.domain)).body
  expect(await get('/')).toBe(`version ${version}`)
  expect(await get('/notes')).toBe('of the victim')
  expect(await get('/static/a.txt')).toBe('a\n')
  const journal = await server.must(`journalctl --sync; journalctl -q -o cat -u 'web-victim-*'`)
  expect(journal).toContain('said by the victim')
  expect(journal).not.toContain('forged')
}

/** Makes what attackers have to succeed with: a folder for all, a file in it, a socket that answers. */
export async function leaveOpen(server: Server, folder: string): Promise<void> {
  await server.must(`mkdir -p ${folder}; chmod 0777 ${folder}; echo open >${folder}/file; chmod 0666 ${folder}/file
    systemd-run --quiet python3 -c '
import os, socket
one = socket.socket(socket.AF_UNIX)
one.bind("${folder}/socket")
os.chmod("${folder}/socket", 0o666)
one.listen(1000)
while True:
    one.accept()[0].close()
'
    for try in $(seq 100); do [ -S ${folder}/socket ] && break; sleep 0.05; done`)
}

/** What an attacker found out. */
export interface Siege {
  readonly rounds: number
  /** attack -> each different outcome */
  readonly outcomes: ReadonlyMap<string, readonly string[]>
}

/** Reads what the attacker's program wrote. */
export function siegeOf(json: string): Siege {
  const { rounds, outcomes }: { rounds: number; outcomes: Record<string, string[]> } = JSON.parse(json)
  return { rounds, outcomes: new Map(Object.entries(outcomes)) }
}

/**
 * Attacks as a user of the server, outside of any sandbox, until the file `stop` is in the folder, which is the user's.
 * @param open what `leaveOpen` made
 */
export async function attackAs(server: Server, user: string, folder: string, open: string): Promise<Siege> {
  const words = `victim ${victim.inputs.domain} ${folder} ${open}`
  const script = `cat >/usr/local/lib/attacker.py; cd /
    runuser -u ${user} -- env HOME="$(getent passwd ${user} | cut -d : -f 6)" \
      XDG_RUNTIME_DIR="$(ls -d /run/user/$(id -u ${user}) 2>/dev/null)" \
      python3 /usr/local/lib/attacker.py ${words}
    cat ${folder}/outcomes.json`
  return siegeOf(await server.must(script, { stdin: attackerProgram, timeoutMs: 240_000 }))
}

/** The same, each attack once. */
export async function attackOnceAs(server: Server, user: string, open: string): Promise<Siege> {
  const folder = `/var/attack/${user}`
  await server.must(`install -d -o ${user} ${folder}; touch ${folder}/stop`)
  return await attackAs(server, user, folder, open)
}

/**
 * Prints attack -> outcome, and judges: nothing was done but what is harmless or open, and that was.
 * @param who for the heading
 * @param except what this one succeeds with by design, and what it cannot even do to its own
 */
export function judge(
  who: string,
  siege: Siege,
  { may = [], cannot = [] }: { readonly may?: readonly string[]; readonly cannot?: readonly string[] } = {},
): void {
  const lines = [...siege.outcomes].map(([attack, seen]) => `  ${attack} -> ${seen.join(', ')}`)
  console.log(`${who}, ${siege.rounds} times each:\n${lines.join('\n')}`)
  const free = (attack: string) => /^(?:open|harmless): /.test(attack)
  const done = [...siege.outcomes].filter(([, seen]) => seen.includes('done')).map(([attack]) => attack)
  expect(done.filter((attack) => !free(attack))).toEqual(may)
  const never = [...siege.outcomes.keys()].filter((attack) => free(attack) && !done.includes(attack))
  expect(never, 'the attacker does not work').toEqual(cannot)
}

/** Attacks that only failed because what they were aimed at was not there. */
export function aimless(siege: Siege): readonly string[] {
  const absent = ['ENOENT', 'ESRCH']
  return [...siege.outcomes]
    .filter(([, seen]) => seen.every((one) => absent.includes(one)))
    .map(([attack]) => attack)
}

/**
 * Gives a user second names for the victim's files, as a kernel without `fs.protected_hardlinks` lets everybody make
 * them, and returns a look at these: root must not have changed what they are, nor whose.
 */
export async function hardLinks(
  server: Server,
  release: string,
  folder: string,
): Promise<() => Promise<string>> {
  const { root, serviceUnitFile } = releasePaths('victim', release)
  await server.must(`mkdir ${folder}; chmod 0777 ${folder}; cd ${folder}
    ln ${root}/app.py app; ln ${root}/.venv/pyvenv.cfg venv; ln ${root}/static/a.txt static
    ln ${serviceUnitFile} unit; ln /srv/web-victim/state state`)
  return () => server.must(`cd ${folder}; stat -c '%n %a %U:%G' *; sha256sum *`)
}

/** Makes things of root's and of another app's that no project may read, write or serve; each text says `of-root`. */
export async function haveSecrets(server: Server): Promise<void> {
  await server.must(`umask 027; mkdir /root/secret /root/bag /srv/web-other /srv/web-other/current
    echo 'PASSWORD = "of-root"' | tee /root/secret/settings.py >/srv/web-other/current/app.py
    echo 'root:of-root:1:::' >/root/secret/shadow`)
}

/** Every file outside of the app, with content, mode, owner and times, and every folder of root's own. */
export async function outside(server: Server): Promise<string> {
  return await server.must(`cd /
    find etc root home opt usr/local boot srv/web-other ! -path '*web-hello*' ! -path etc/systemd/system/'*.wants' \\
      ! -path etc/systemd/system -printf '%p %y %m %u:%g %s %T@ %l\\n' | sort
    find etc root home srv/web-other ! -path '*web-hello*' -type f -exec sha256sum {} + | sort`)
}

/** Prints attack -> outcome when all tests of a group are done. */
export function outcomesOf(who: string): (attack: string, outcome: string) => void {
  const lines: string[] = []
  afterAll(() => console.log(`${who}:\n${lines.join('\n')}`))
  return (attack, outcome) => lines.push(`  ${attack} -> ${outcome}`)
}
