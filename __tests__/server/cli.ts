#!/usr/bin/env node
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { boot } from './boot.ts'
import { cacheFolder } from './places.ts'
import { canBoot, prepareHost } from './requirements.ts'
import { reap } from './slots.ts'
import { isSuite, type Suite } from './suites.ts'
import { ensureTree } from './trees.ts'

const usage = `Test servers by hand (root, Linux).
  node cli.ts boot --suite SUITE [--bare] [--uutils] [--disk overlay|copy|image]   until Enter or SIGTERM
  node cli.ts trees [SUITE...] [--uutils]   builds the bare and ready trees (bookworm, bullseye, trixie, sid)
  node cli.ts reap                          takes down servers whose owners have died
  node cli.ts prepare [SUITE...]            installs on this machine what the others need
`

async function main(args: string[]): Promise<number> {
  const [verb, ...rest] = args
  const flags = rest.filter((arg) => arg.startsWith('--'))
  const value = (flag: string) => (rest.includes(flag) ? rest[rest.indexOf(flag) + 1] : undefined)
  const disk = value('--disk') ?? 'overlay'
  const named = rest.filter(isSuite)
  const known = ['--suite', '--bare', '--uutils', '--disk']
  const strays = rest.filter((arg) => !isSuite(arg) && !known.includes(arg) && arg !== value('--disk'))
  if (strays.length > 0 || verb === undefined) return complain(strays)
  const uutils = flags.includes('--uutils')
  if (verb === 'prepare') {
    await prepareHost(named)
    return 0
  }
  const able = canBoot()
  if (!able.ok) return complain([able.why])
  switch (verb) {
    case 'boot': {
      const [suite] = named
      if (suite === undefined) return complain(['which --suite?'])
      if (disk !== 'overlay' && disk !== 'copy' && disk !== 'image') return complain([`--disk ${disk}?`])
      return await keep({ suite, packages: flags.includes('--bare') ? 'bare' : 'ready', uutils, disk })
    }
    case 'trees':
      await buildTrees(named.length > 0 ? named : ['bookworm', 'bullseye', 'trixie', 'sid'], uutils)
      return 0
    case 'reap':
      console.log(`${await reap()} taken down`)
      return 0
    default:
      return complain([verb])
  }
}

async function buildTrees(chosen: readonly Suite[], uutils: boolean): Promise<void> {
  for (const suite of chosen) {
    for (const packages of ['bare', 'ready'] as const) {
      const begin = performance.now()
      const tree = await ensureTree({ suite, packages, uutils })
      console.log(`${tree}  ${((performance.now() - begin) / 1000).toFixed(1)} s`)
    }
  }
}

async function keep(options: Parameters<typeof boot>[0]): Promise<number> {
  const begin = performance.now()
  const server = await boot(options)
  const knownHosts = `${cacheFolder()}/known_hosts.${server.address}`
  writeFileSync(knownHosts, server.knownHosts)
  console.log(`address ${server.address}`)
  console.log(`key ${server.privateKeyPath}`)
  console.log(`known_hosts ${knownHosts}`)
  console.log(`booted in ${((performance.now() - begin) / 1000).toFixed(2)} s; Enter or SIGTERM ends it:`)
  console.log(
    `  ssh -i ${server.privateKeyPath} -o UserKnownHostsFile=${knownHosts} deploy@${server.address}`,
  )
  await new Promise<void>((resolve) => {
    const input = createInterface({ input: process.stdin })
    input.once('line', () => resolve())
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
    // Without a terminal (stdin is /dev/null) only a signal ends it.
    setInterval(() => {}, 60_000)
  })
  await server.stop()
  return 0
}

function complain(words: readonly string[]): number {
  console.error([...words, usage].join('\n'))
  return 2
}

process.exit(await main(process.argv.slice(2)))
