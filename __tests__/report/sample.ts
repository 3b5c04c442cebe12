import { DeployError } from '../../src/errors.ts'
import type { Result } from '../../src/outputs.ts'
import type { Phase } from '../../src/phases.ts'
import { emptyReport, type Report, reportOfError } from '../../src/report/report.ts'
import type { SummaryContext } from '../../src/report/summary.ts'

export const context: SummaryContext = {
  serverUrl: 'https://ghe.example.com',
  repository: 'octo/blog',
  action: 'org/flask-deploy-action@v1',
}

const oldRelease = '20261120101500-0a1b2c3'
const newRelease = '20261122184800-abc1234'
const good: readonly Phase[] = [
  'inputs',
  'project',
  'connect',
  'facts',
  'upload',
  'configure',
  'start',
  'health',
  'cutover',
  'smoke',
]

function phases(names: readonly Phase[], failed?: Phase): Report['phases'] {
  return names.map((phase, at) => ({ phase, ms: 15 + at * 130, ok: phase !== failed }))
}

const deployed: Report = {
  ...emptyReport,
  result: 'deployed',
  app: 'blog',
  release: newRelease,
  previous: oldRelease,
  serving: newRelease,
  url: 'http://blog.example.com/',
  commit: 'abc1234000000000000000000000000000000000',
  previousCommit: '0a1b2c3000000000000000000000000000000000',
  phases: phases(good),
  changes: [
    { what: 'packages', detail: 'nginx python3-venv' },
    { what: 'nginx', detail: 'web-blog.conf' },
  ],
  found: [
    { what: 'app', detail: 'blog:create_app() (`create_app` in blog/__init__.py)' },
    { what: 'persist', detail: 'app.db | logs: `persist` pins it' },
  ],
  health: { ok: true, path: '/', status: 200, ms: 840, answers: 3 },
  smoke: {
    ok: true,
    from: 'runner',
    url: 'http://blog.example.com/',
    status: 200,
    ms: 96,
    release: newRelease,
  },
  drift: [
    {
      fate: 'replaced',
      how: 'edited',
      detail: '',
      path: '/etc/nginx/sites-enabled/web-blog.conf',
      lines: [
        '@@ -20,3 +20,3 @@',
        ' server_tokens off;',
        '-client_max_body_size 16m;',
        '+client_max_body_size 1g;',
      ],
    },
    { fate: 'stays', how: 'groups', detail: 'adm', path: 'web-blog', lines: [] },
  ],
  warnings: [{ code: 'lfs-pointer', text: '`static/big.png` is a Git LFS pointer.', file: 'static/big.png' }],
  unpinned: [
    { what: 'package', name: 'flask', file: 'requirements.txt' },
    { what: 'package', name: 'requests', file: 'requirements.txt' },
    { what: 'dependencies', name: './lib', file: 'requirements.txt' },
    { what: 'package', name: 'git+https://git.example.org/tools.git', file: 'requirements/base.txt' },
  ],
  durationMs: 8123,
  roundTrips: 13,
}

const importError = new DeployError(
  'app-import',
  {
    cause:
      "The new release cannot start: ModuleNotFoundError: No module named 'yaml' (pkg/views.py, line 3).",
    cure: 'Add `PyYAML` to requirements.txt.',
    file: 'pkg/views.py',
    line: 3,
  },
  [
    'Traceback (most recent call last):',
    '  File "/srv/web-blog/releases/…/pkg/views.py", line 3, in <module>',
    '    import yaml',
    "ModuleNotFoundError: No module named 'yaml'",
  ],
)

/** One report of a run that ended in each way. */
export const reports: Readonly<Record<Result | 'bad-inputs' | 'first-deploy', Report>> = {
  deployed,
  'first-deploy': {
    ...deployed,
    previous: '',
    previousCommit: '',
    drift: [],
    warnings: [],
    unpinned: [],
  },
  unchanged: {
    ...deployed,
    result: 'unchanged',
    release: oldRelease,
    serving: oldRelease,
    commit: deployed.previousCommit,
    phases: phases(['inputs', 'project', 'connect', 'facts', 'smoke']),
    changes: [],
    health: null,
    smoke: {
      ok: true,
      from: 'runner',
      url: 'http://blog.example.com/',
      status: 200,
      ms: 96,
      release: oldRelease,
    },
    drift: [],
    warnings: [],
  },
  planned: {
    ...deployed,
    command: 'plan',
    result: 'planned',
    serving: oldRelease,
    phases: phases(['inputs', 'project', 'connect', 'facts']),
    changes: [
      { what: 'upload', detail: '18230 bytes' },
      { what: 'environment', detail: 'build from requirements.txt, with gunicorn' },
      { what: 'cutover', detail: `switch from ${oldRelease} to ${newRelease}` },
    ],
    health: null,
    smoke: null,
    drift: [],
    warnings: [],
  },
  done: {
    ...deployed,
    command: 'status',
    result: 'done',
    release: oldRelease,
    serving: oldRelease,
    phases: phases(['inputs', 'project', 'connect', 'facts']),
    changes: [],
    health: null,
    smoke: null,
    drift: [],
    warnings: [],
  },
  'rolled-back': {
    ...deployed,
    command: 'rollback',
    result: 'rolled-back',
    release: oldRelease,
    previous: newRelease,
    serving: oldRelease,
    commit: deployed.previousCommit,
    previousCommit: deployed.commit,
    changes: [],
    drift: [],
    warnings: [],
  },
  reverted: {
    ...deployed,
    ...reportOfError(
      new DeployError(
        'smoke-status',
        {
          cause:
            'http://blog.example.com/ did not answer well over public HTTP. This release answered 500; good would be any under 500.',
          cure: 'Set `smoke-url` to a page that answers 200, or correct the app.',
          input: 'smoke-url',
        },
        ['[ERROR] Exception on / [GET]'],
      ),
    ),
    result: 'reverted',
    serving: oldRelease,
    failedPhase: 'smoke',
    phases: phases(good, 'smoke'),
    smoke: {
      ok: false,
      from: 'runner',
      url: 'http://blog.example.com/',
      status: 500,
      ms: 31,
      release: newRelease,
    },
    drift: [],
    warnings: [],
  },
  failed: {
    ...deployed,
    ...reportOfError(importError),
    result: 'failed',
    serving: oldRelease,
    failedPhase: 'start',
    phases: phases(good.slice(0, 7), 'start'),
    changes: [],
    health: null,
    smoke: null,
    drift: [],
    warnings: [],
  },
  cancelled: {
    ...deployed,
    ...reportOfError(
      new DeployError('cancelled', {
        cause: 'The run was cancelled.',
        cure: 'Run the job again when you want the new release.',
      }),
    ),
    result: 'cancelled',
    serving: 'unknown',
    failedPhase: 'cutover',
    phases: phases(good.slice(0, 9), 'cutover'),
    smoke: null,
    drift: [],
    warnings: [],
  },
  'bad-inputs': {
    ...emptyReport,
    ...reportOfError(
      new DeployError('bad-inputs', [
        { cause: '`host` is missing.', cure: "Set it to the server's name or IP address.", input: 'host' },
        { cause: '`domain` has `a|b <x>` on one line.', cure: 'Write one name a line.', input: 'domain' },
      ]),
    ),
    failedPhase: 'inputs',
    phases: [{ phase: 'inputs', ms: 2, ok: false }],
    durationMs: 2,
  },
}
