import type { Inputs } from '../../src/inputs.ts'
import type { Wish } from '../../src/plan/wish.ts'
import type { Project } from '../../src/project/project.ts'
import { type Facts, parseFacts } from '../../src/server/facts.ts'

/** A wish of the plainest kind; the changes are merged into the groups of inputs. */
export function wish(
  changes: {
    readonly inputs?: Partial<Pick<Inputs, 'command' | 'release' | 'run' | 'lines' | 'destroyData'>>
    readonly app?: Partial<Inputs['app']>
    readonly site?: Partial<Inputs['site']>
    readonly tls?: Partial<Inputs['tls']>
    readonly behaviour?: Partial<Inputs['behaviour']>
    readonly project?: Partial<Project>
    readonly release?: string
    readonly byHand?: boolean
  } = {},
): Wish {
  return {
    release: changes.release ?? '20261122184800-abc1234',
    nonce: 'f'.repeat(32),
    byHand: changes.byHand ?? false,
    inputs: {
      command: 'deploy',
      release: undefined,
      run: undefined,
      lines: 200,
      destroyData: undefined,
      server: {
        host: '203.0.113.10',
        port: 22,
        user: 'root',
        sshKey: 'key',
        sshKeyPassphrase: undefined,
        password: undefined,
        knownHosts: undefined,
        hostFingerprints: [],
        sudoPassword: undefined,
        connectTimeoutMs: 20_000,
      },
      app: {
        name: undefined,
        source: '',
        app: undefined,
        python: undefined,
        requirements: undefined,
        extras: [],
        groups: [],
        dependencies: 'server',
        refresh: false,
        pythonDownload: true,
        packages: [],
        services: [],
        env: new Map(),
        secretFiles: new Map(),
        releaseCommand: undefined,
        firstDeployCommand: undefined,
        webCommand: undefined,
        processes: undefined,
        cron: [],
        persist: ['instance'],
        exclude: [],
        include: [],
        ...changes.app,
      },
      site: {
        domains: ['example.org'],
        static: [],
        maxBodySize: '16m',
        workers: undefined,
        threads: 4,
        timeoutSeconds: 60,
        ...changes.site,
      },
      tls: {
        // HTTPS has tests of its own.
        mode: 'off',
        email: undefined,
        certificate: undefined,
        key: undefined,
        staging: false,
        acmeServer: undefined,
        hstsSeconds: 86_400,
        ...changes.tls,
      },
      behaviour: {
        lockTimeoutMs: 600_000,
        healthPath: undefined,
        healthTimeoutMs: 60_000,
        smokeUrl: undefined,
        smokeFrom: 'runner',
        expectStatus: undefined,
        expectText: undefined,
        confirmSeconds: 300,
        settleSeconds: 60,
        waitSettled: false,
        allowOlder: false,
        keepReleases: 5,
        commandTimeoutSeconds: 600,
        stopTimeoutSeconds: 60,
        upgradePackages: false,
        ...changes.behaviour,
      },
      ...changes.inputs,
    },
    project: {
      name: 'hello',
      repository: { id: '4711', fullName: 'someone/hello' },
      commit: 'abc1234abc1234abc1234abc1234abc1234abc12',
      committed: 1_795_000_000,
      source: '',
      target: {
        module: 'app',
        attribute: 'app',
        factory: false,
        expression: 'app',
        path: [''],
        reason: 'test',
      },
      others: [],
      declared: { processes: new Map(), releaseCommand: undefined, workerClass: undefined },
      python: { allowed: [], reason: '', preferred: undefined, preferredReason: '' },
      requirements: {
        file: 'requirements.txt',
        kind: 'requirements',
        passedOver: [],
        names: [],
        buildable: false,
        built: { folder: '', name: '' },
        hashed: false,
        listsGunicorn: false,
        sha256: 'r'.repeat(64),
        reason: 'test',
        steps: [
          {
            how: 'install',
            folder: '',
            words: ['-r', 'requirements.txt'],
            fixed: false,
            project: undefined,
          },
        ],
        texts: new Map(),
        plugins: false,
      },
      static: [],
      bundle: {
        path: '/nowhere',
        bytes: 226,
        sha256: 'b'.repeat(64),
        contentSha256: 'c'.repeat(64),
        files: 2,
        contentBytes: 107,
      },
      warnings: [],
      ...changes.project,
    },
  }
}

/** A Debian 12 server as a hoster hands it out. */
export const bareLines = [
  'os debian 12 bookworm',
  'systemd 252',
  'arch x86_64',
  'python ',
  'ipv6 no',
  'cpus 2',
  'memory 2048000',
  'disk 20000000',
  'installed ca-certificates',
]

/** The same after a first deploy; `state` lines and what comes with them are added. */
export const readyLines = [
  ...bareLines.filter((line) => !line.startsWith('python')),
  'python /usr/bin/python3.11',
  'installed python3',
  'installed python3-pip-whl',
  'installed nginx',
  'nginx 1.22.1',
  'nginx-user www-data',
  'uv uv-0.13.9',
  'account yes',
  'home yes',
  'generated SECRET_KEY',
  'generated FLASK_SECRET_KEY',
]

/** Facts from lines. */
export function facts(lines: readonly string[]): Facts {
  return parseFacts(lines)
}
