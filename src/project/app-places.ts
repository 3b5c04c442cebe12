import type { Module } from './modules.ts'

/** Names of files in the root that have the app as a rule, the better one first. */
const usual = [
  'main',
  'run',
  'autoapp',
  'application',
  'server',
  'flask_app',
  'webapp',
  'website',
  'web',
  'index',
]
/** Files that make an app of their own to do something else with it. */
const jobs =
  /(?:^|_)(?:celery|worker|workers|tasks?|jobs?|cron|scheduler|seed|seeds|init_?db|create_?db|db_\w+|migrate|migration|setup|conftest|tests?|fixtures|populate|cli|shell|config|settings|gunicorn\w*|fabfile|example|demo|deploy|backup|import|export|script)(?:_|\d|$)/i
/** Ranks begin with these; what lies between is room for order within. */
export const places = {
  wsgi: 10,
  packageWsgi: 12,
  app: 14,
  usual: 20,
  anyRoot: 34,
  wsgiFactory: 40,
  appFactory: 42,
  usualFactory: 44,
  package: 50,
  packageFactory: 52,
  within: 54,
  withinFactory: 58,
  manage: 64,
  job: 70,
  lastResort: 100,
} as const

/** From here on a candidate is so weak that one in a sub-folder goes before it. */
export const weak: number = places.manage

/** Where a module lies, and what that makes of what is in it. */
export interface Place {
  /** Nobody's usual place: only what is certainly a Flask object counts. */
  readonly anywhere: boolean
  readonly root: boolean
  readonly object: number
  readonly factory: number
  /** What it imports counts as its own: objects alone, or factories too. */
  readonly reExports: 'no' | 'objects' | 'all'
}

/** Says how likely a module's place is. */
export function placeOf(module: Module): Place {
  const inSource = module.base === 'src' || module.base.startsWith('src/')
  const own = module.file.replace(/(?:\/__init__)?\.py$/, '').split('/')
  const parts = inSource ? own.slice(1) : own
  const isPackage = module.file.endsWith('/__init__.py')
  const stem = parts.at(-1) ?? ''
  const root = parts.length === 1 && !isPackage
  const deep = (parts.length - 1) / 100
  const source = inSource ? 1 : 0
  if (jobs.test(stem) && !isPackage) {
    return { anywhere: true, root, object: places.job, factory: places.job + 1, reExports: 'no' }
  }
  if (isPackage) {
    return {
      anywhere: false,
      root,
      object: (parts.length === 1 ? places.package : places.within) + deep,
      factory: (parts.length === 1 ? places.packageFactory : places.withinFactory) + deep,
      reExports: parts.length === 1 ? 'all' : 'objects',
    }
  }
  if (stem === 'manage') {
    return {
      anywhere: false,
      root,
      object: places.manage + deep,
      factory: places.manage + 1 + deep,
      reExports: 'objects',
    }
  }
  if (!root) {
    const known = stem === 'app' || stem === 'wsgi' || usual.includes(stem)
    return {
      anywhere: stem !== 'wsgi' && !known,
      root,
      object: stem === 'wsgi' ? places.packageWsgi + deep : places.within + (known ? 0.1 : 2) + deep,
      factory: places.withinFactory + (known || stem === 'factory' ? 0.1 : 1) + deep,
      reExports: stem === 'wsgi' ? 'all' : 'no',
    }
  }
  const at = usual.indexOf(stem)
  if (stem === 'wsgi') {
    return {
      anywhere: false,
      root,
      object: places.wsgi + source,
      factory: places.wsgiFactory + source,
      reExports: 'all',
    }
  }
  if (stem === 'app') {
    return {
      anywhere: false,
      root,
      object: places.app + source,
      factory: places.appFactory + source,
      reExports: 'all',
    }
  }
  if (at !== -1) {
    const order = at + source / 10
    return {
      anywhere: false,
      root,
      object: places.usual + order,
      factory: places.usualFactory + order / 10,
      reExports: 'objects',
    }
  }
  return {
    anywhere: true,
    root,
    object: places.anyRoot + source / 10,
    factory: places.usualFactory + 2,
    reExports: 'no',
  }
}
