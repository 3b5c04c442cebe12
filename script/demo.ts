import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reach, start } from '../__tests__/e2e/action.ts'
import { checkoutOf } from '../__tests__/e2e/projects.ts'
import { boot } from '../__tests__/server/boot.ts'
import { canBoot, prepareHost } from '../__tests__/server/requirements.ts'

const repository = join(import.meta.dirname, '..')

/** Boots a bare server, has the built action deploy examples/hello on it, and shows what came of it. */
async function demo(once: boolean): Promise<number> {
  await prepareHost(['bookworm'])
  const able = canBoot()
  if (!able.ok) {
    console.error(`The demo needs a machine that can boot a server: ${able.why}`)
    return 1
  }
  if (!existsSync(join(repository, 'dist', 'index.js'))) {
    console.error('dist/index.js is missing: run `npm run build`.')
    return 1
  }
  console.log(
    'Booting a bare Debian 12 server (the first time its files are fetched, which takes a minute) ...',
  )
  const server = await boot({ suite: 'bookworm', packages: 'bare', name: 'demo' })
  try {
    console.log(`It is up at ${server.address}. Deploying examples/hello, as a workflow would:\n`)
    const project = checkoutOf(join(repository, 'examples', 'hello'))
    const action = start({
      workspace: project.folder,
      inputs: { ...reach(server), 'settle-time': '' },
      repository: 'you/hello',
    })
    action.process.stdout?.on('data', (chunk: Buffer) => process.stdout.write(readable(chunk.toString())))
    const ran = await action.ended
    const summary = join(mkdtempSync(join(tmpdir(), 'flask-deploy-demo-')), 'summary.md')
    writeFileSync(summary, ran.summary)
    if (ran.status !== 0) return 1
    const response = await fetch(ran.outputs.url)
    const page = await response.text()
    console.log(
      `\n${ran.outputs.url} answers ${response.status}, ${page.length} bytes, by ${response.headers.get('server')}:`,
    )
    console.log(page.trim().split('\n').slice(0, 5).join('\n'))
    console.log(`\nThe job's summary: ${summary}`)
    console.log(
      `Look around: ssh -i ${server.privateKeyPath} -o StrictHostKeyChecking=no root@${server.address}`,
    )
    if (!once) {
      console.log('\nThe site stays up until you press Enter.')
      await new Promise((resolve) => {
        process.stdin.once('data', resolve)
        process.stdin.once('end', resolve)
        process.once('SIGINT', resolve)
        process.once('SIGTERM', resolve)
      })
    }
    return response.ok ? 0 : 1
  } finally {
    await server.stop()
  }
}

/** GitHub's log as a terminal shows it: groups as headings, no masks (they hold the demo's own key). */
function readable(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^::(add-mask|endgroup|debug|save-state|stop-commands|[0-9a-f-]{36}::)/.test(line))
    .map((line) => line.replace(/^::group::(.*)/, '\n$1'))
    .join('\n')
}

process.exitCode = await demo(process.argv.includes('--once'))
// A terminal that was listened to keeps the process alive.
process.stdin.unref?.()
