import { readFileSync } from 'node:fs'

/*
 * Whether the licenses name every package that went into the bundle: `node script/check-licenses.ts ACCOUNT LICENSES`, with
 * webpack's own account of what it has put in.
 */

const [account = '', licenses = ''] = process.argv.slice(2)
const bundled = packagesIn(JSON.parse(readFileSync(account, 'utf8')))
// Each part of ncc's file is a name, the short form of the license, and its text.
const named = new Set(readFileSync(licenses, 'utf8').split('\n'))
const missing = [...bundled].filter((name) => !named.has(name)).sort()
if (bundled.size === 0) fail(`${account} names no packages`)
if (missing.length > 0) fail(`${licenses} does not name ${missing.join(', ')}`)

/** The packages whose files an account names, at any depth. */
function packagesIn(value: unknown): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return new Set()
  const inner = Object.entries(value).flatMap(([key, child]): readonly string[] => {
    if (typeof child !== 'string') return [...packagesIn(child)]
    if (key !== 'nameForCondition' && key !== 'name') return []
    const names = [...child.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name = '']) => name)
    return names.slice(-1)
  })
  return new Set(inner)
}

function fail(why: string): void {
  console.error(why)
  process.exitCode = 1
}
