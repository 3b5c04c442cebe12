import { describe, expect, test } from 'vitest'
import { diagnose, diagnosed } from '../../src/report/diagnosis.ts'
import type { Situation } from '../../src/report/failure.ts'

const situation: Situation = {
  name: 'blog',
  user: 'deploy',
  release: '20261122184800-abc1234',
  source: '',
  module: 'wsgi',
  requirements: 'requirements.txt',
  python: '',
  pythonWanted: 'requires-python >=3.14 in pyproject.toml',
  healthPath: '/health',
  healthTimeoutSeconds: 60,
  lockTimeoutSeconds: 600,
  smokeUrl: 'http://blog.example.com/',
  ufw: false,
}

const root = '/srv/web-blog/releases/20261122184800-abc1234'

function traceback(exception: string, file = 'blog/views.py'): readonly string[] {
  return [
    '[2026-11-22 18:48:03 +0000] [413] [ERROR] Exception in worker process',
    'Traceback (most recent call last):',
    `  File "${root}/.venv/lib/python3.11/site-packages/gunicorn/arbiter.py", line 608, in spawn_worker`,
    '    worker.init_process()',
    `  File "${root}/${file}", line 3, in <module>`,
    '    import something',
    exception,
    '[2026-11-22 18:48:03 +0000] [413] [INFO] Worker exiting (pid: 413)',
  ]
}

/** code, detail, the lines, and what cause and cure must tell, the input and the file they point at. */
interface Case {
  readonly code: string
  readonly detail?: string
  readonly lines?: readonly string[]
  readonly cause: RegExp
  readonly cure: RegExp
  readonly becomes?: string
  readonly input?: string
  readonly file?: string
  readonly situation?: Partial<Situation>
}

const app: readonly Case[] = [
  {
    code: 'app-exited',
    lines: traceback("ModuleNotFoundError: No module named 'yaml'"),
    cause: /cannot start: ModuleNotFoundError: No module named 'yaml' \(blog\/views\.py, line 3\)\.$/,
    cure: /Add `PyYAML` to requirements\.txt/,
    becomes: 'app-import',
    file: 'blog/views.py',
  },
  {
    code: 'app-exited',
    lines: traceback("ModuleNotFoundError: No module named 'flask_login.utils'"),
    cause: /flask_login/,
    cure: /Add `flask-login`/,
    becomes: 'app-import',
  },
  {
    code: 'start',
    lines: traceback("ModuleNotFoundError: No module named 'wsgi'", '.deploy/flask_deploy_entry.py'),
    cause: /No module named 'wsgi'\.$/,
    cure: /Set `app`/,
    becomes: 'app-import',
    input: 'app',
  },
  {
    code: 'app-exited',
    lines: traceback(
      `ImportError: cannot import name 'application' from 'wsgi' (${root}/wsgi.py)`,
      '.deploy/flask_deploy_entry.py',
    ),
    cause: /cannot import name/,
    cure: /no `application` in it/,
    becomes: 'app-import',
    input: 'app',
  },
  {
    code: 'app-exited',
    lines: traceback(
      "ImportError: cannot import name 'url_quote' from 'werkzeug.urls' (/srv/x/werkzeug/urls.py)",
    ),
    cause: /url_quote/,
    cure: /Pin `werkzeug` in requirements\.txt/,
    becomes: 'app-import',
  },
  {
    code: 'app-exited',
    lines: traceback('ImportError: libpq.so.5: cannot open shared object file: No such file or directory'),
    cause: /libpq\.so\.5/,
    cure: /`libpq5` to `packages`/,
    becomes: 'app-import',
    input: 'packages',
  },
  {
    code: 'app-exited',
    lines: traceback("KeyError: 'DATABASE_URL'"),
    cause: /DATABASE_URL/,
    cure: /`DATABASE_URL=\.\.\.` to `env`/,
    becomes: 'app-import',
    input: 'env',
  },
  {
    code: 'health-timeout',
    lines: traceback(`OSError: [Errno 30] Read-only file system: '${root}/web/logs'`),
    cause: /does not answer: OSError/,
    cure: /Add `logs` .*`persist`/,
    becomes: 'app-import',
    input: 'persist',
    situation: { source: 'web' },
  },
  {
    code: 'app-exited',
    lines: traceback(
      'sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) unable to open database file',
    ),
    cause: /unable to open database file/,
    cure: /`persist`, such as `instance`/,
    becomes: 'app-import',
    input: 'persist',
  },
  {
    code: 'app-exited',
    lines: traceback('SyntaxError: invalid syntax'),
    cause: /SyntaxError/,
    cure: /Correct the line/,
    becomes: 'app-import',
    input: 'python',
    file: 'blog/views.py',
  },
  {
    code: 'app-exited',
    lines: [
      '[2026-11-22 18:48:03 +0000] [412] [INFO] Starting gunicorn 23.0.0',
      'SECRET is not set, giving up',
    ],
    cause: /its last line is: SECRET is not set/,
    cure: /sys\.exit/,
  },
  { code: 'app-exited', cause: /without a word/, cure: /app\.run/ },
  {
    code: 'worker-restarted',
    detail: '200',
    cause: /process of the new release died/,
    cure: /last lines/,
  },
  {
    code: 'worker-restarted',
    detail: '200',
    lines: [
      'Started web-blog-20261122184800-abc1234.service - blog: web process of release 20261122184800-abc1234.',
      'no memory for the model',
      '[2026-11-22 18:48:03 +0000] [412] [ERROR] Worker (pid:413) exited with code 1.',
    ],
    cause: /its last line is: no memory for the model/,
    cure: /last lines/,
  },
  {
    code: 'worker-restarted',
    detail: '0',
    lines: traceback("KeyError: 'DATABASE_URL'"),
    cause: /^The new release cannot start: KeyError/,
    cure: /`DATABASE_URL=\.\.\.` to `env`/,
    becomes: 'app-import',
    input: 'env',
  },
  {
    code: 'health-status',
    detail: '404',
    cause: /`\/health` answered 404/,
    cure: /`expect-status`/,
    input: 'health-path',
  },
  {
    code: 'health-status',
    detail: '500',
    lines: [
      '[2026-11-22 18:48:05,120] ERROR in app: Exception on /health [GET]',
      ...traceback('ZeroDivisionError: division by zero').slice(1, 7),
    ],
    cause: /answered 500: ZeroDivisionError: division by zero \(blog\/views\.py, line 3\)/,
    cure: /Correct the app/,
    file: 'blog/views.py',
  },
  { code: 'health-status', detail: '503', cause: /answered 503/, cure: /last lines/, input: 'health-path' },
  {
    code: 'health-timeout',
    detail: '60',
    cause: /within 60 s/,
    cure: /`health-timeout`/,
    input: 'health-timeout',
  },
  {
    code: 'release-command',
    detail: '1',
    lines: [
      'INFO  [alembic.runtime.migration] Context impl SQLiteImpl.',
      "ERROR [flask_migrate] Error: Can't locate revision identified by 'ae1027a6acf'",
    ],
    cause: /exit status 1.*Can't locate revision/,
    cure: /`release-command`/,
    input: 'release-command',
  },
  {
    code: 'release-command',
    detail: '1',
    lines: traceback('RuntimeError: no database'),
    cause: /RuntimeError: no database/,
    cure: /Correct the app/,
    file: 'blog/views.py',
  },
  {
    code: 'first-deploy-command',
    detail: '127',
    lines: [
      '/srv/web-blog/releases/20261122184800-abc1234/.deploy/first-deploy-command: 1: flaks: not found',
    ],
    cause: /^The first-deploy command failed \(exit status 127\): `flaks` is not there/,
    cure: /Correct its name/,
    input: 'first-deploy-command',
  },
  {
    code: 'command-timeout',
    detail: 'first-deploy-command 600',
    lines: ['loading 3 of 9'],
    cause: /^`first-deploy-command` was not done after 600 s, .*loading 3 of 9/,
    cure: /`command-timeout`/,
    input: 'command-timeout',
  },
  {
    code: 'database-locked',
    detail: 'release-command',
    cause: /^`release-command` found its SQLite database locked, three times/,
    cure: /PostgreSQL/,
    input: 'release-command',
  },
  {
    code: 'process-died',
    detail: 'worker',
    lines: ['consumer: Cannot connect to redis://localhost:6379/0'],
    cause: /^The process worker of the new release ended within .*Cannot connect to redis/,
    cure: /`processes`/,
    input: 'processes',
  },
  {
    code: 'own-server',
    detail: '8080',
    cause: /starts a server of its own when it is imported on port 8080/,
    cure: /`web-command`/,
    input: 'web-command',
  },
]

const tools: readonly Case[] = [
  {
    code: 'uv',
    detail: '0.13.9',
    lines: ['ERROR: Could not find a version that satisfies the requirement uv==0.13.9'],
    cause: /^uv 0\.13\.9, which installs the Python packages, could not be installed on the server\.$/,
    cure: /package index \(DNS, firewall, proxy\)/,
    input: 'host',
  },
  {
    code: 'uv',
    detail: '0.13.9',
    lines: ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.'],
    cause:
      /^uv 0\.13\.9, .* sent other bytes than those whose hashes the action brings along; nothing of them was used/,
    cure: /`\/etc\/pip\.conf`/,
    input: 'host',
  },
  {
    code: 'gunicorn',
    lines: ['  cause: Hash mismatch for `gunicorn==27.0.1`'],
    cause: /^gunicorn, which the requirements do not list, .* sent other bytes/,
    cure: /`UV_\*` in `env`/,
    input: 'host',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: No solution found when resolving dependencies',
      '  cause: Because there is no version of flask==99.0 and you require flask==99.0, we can conclude that your requirements are unsatisfiable.',
    ],
    cause: /no flask==99\.0/,
    cure: /Correct the name and version of it in requirements\.txt/,
    file: 'requirements.txt',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      '  × No solution found when resolving dependencies:',
      '  ╰─▶ Because flaskk was not found in the package registry and you require flaskk, we can conclude that your requirements are unsatisfiable.',
    ],
    cause: /no package called flaskk/,
    cure: /requirements\.txt/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: No solution found when resolving dependencies',
      '  cause: Because flask==3.0.0 depends on werkzeug>=3.0.0 and you require flask==3.0.0, we can conclude that you require werkzeug>=3.0.0.',
      '         And because you require werkzeug==2.0.0, we can conclude that your requirements are unsatisfiable.',
    ],
    cause: /exclude each other/,
    cure: /Loosen/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Failed to download `flask==3.0.0`',
      '  cause: Hash mismatch for `flask==3.0.0`',
      '',
      '         Expected:',
    ],
    cause: /file of flask==3\.0\.0/,
    cure: /Lock the packages anew/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: In `--require-hashes` mode, all requirements must have a hash, but none were provided for: flask==3.0.0',
    ],
    cause: /not all: flask==3\.0\.0|have hashes, but not all/,
    cure: /or none/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Request failed after 3 retries in 5.3s',
      '  cause: Failed to fetch: https://index.example/simple/click/',
      '  cause: dns error',
      '  cause: failed to lookup address information: Name or service not known',
    ],
    cause: /could not reach the package index/,
    cure: /firewall/,
    input: 'host',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Failed to build `mysqlclient==2.2.4`',
      '  cause: The build backend returned an error',
      '         Exception: Can not find valid pkg-config name.',
    ],
    cause: /mysqlclient had to be compiled/,
    cure: /`default-libmysqlclient-dev`/,
    input: 'packages',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: ['error: Failed to build `psycopg2==2.9.9`', '         Error: pg_config executable not found.'],
    cause: /psycopg2/,
    cure: /`psycopg2-binary`.*`libpq-dev`/,
    input: 'packages',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Failed to build `psutil==5.9.0`',
      '         psutil/_psutil_common.c:9:10: fatal error: Python.h: No such file or directory',
    ],
    cause: /psutil==5\.9\.0.*Python\.h was missing/,
    cure: /`gcc`, `libc6-dev`, `python3-dev` to `packages`/,
    input: 'packages',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Failed to build `cffi==1.15.0`',
      '         fatal error: ffi.h: No such file or directory',
    ],
    cause: /ffi\.h/,
    cure: /`libffi-dev`/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      'error: Failed to build `pyyaml==5.4.1`',
      '  cause: The build backend returned an error',
      '         Traceback (most recent call last):',
      '         AttributeError: cython_sources',
    ],
    cause: /pyyaml==5\.4\.1 has no ready-made build.*AttributeError: cython_sources/,
    cure: /Pin a version/,
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: [
      '  cause: Because the current Python version (3.9.2) does not satisfy Python>=3.10 and flask==3.2.0 depends on Python>=3.10, we can conclude that flask==3.2.0 cannot be used.',
    ],
    cause: /needs Python >=3\.10.*3\.9\.2/,
    cure: /`python`/,
    input: 'python',
  },
  {
    code: 'dependencies',
    detail: 'requirements.txt',
    lines: ["error: Couldn't parse requirement in `requirements.txt` at position 0"],
    cause: /no requirement/,
    cure: /Correct requirements\.txt/,
  },
  {
    code: 'dependencies',
    detail: 'pyproject.toml',
    lines: ['?!'],
    cause: /pyproject\.toml could not/,
    cure: /log/,
    file: 'pyproject.toml',
  },
  {
    code: 'packages',
    detail: 'nginx libpqq',
    lines: ['Reading state information...', 'E: Unable to locate package libpqq'],
    cause: /no package `libpqq`/,
    cure: /`packages`/,
    input: 'packages',
  },
  {
    code: 'packages',
    detail: 'python-pip',
    lines: ["E: Package 'python-pip' has no installation candidate"],
    cause: /`python-pip`/,
    cure: /`packages`/,
  },
  {
    code: 'packages',
    detail: 'nginx',
    lines: [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)',
      'E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
    ],
    cause: /Another program.*was installing/,
    cure: /do not delete lock files/,
  },
  {
    code: 'packages',
    detail: 'nginx',
    lines: [
      'Err:1 http://archive.example bookworm InRelease',
      "  Temporary failure resolving 'archive.example'",
    ],
    cause: /archive\.example/,
    cure: /DNS/,
  },
  {
    code: 'packages',
    detail: 'nginx',
    lines: ["E: You don't have enough free space in /var/cache/apt/archives/."],
    cause: /disk got full/,
    cure: /Free some space/,
  },
  {
    code: 'packages-locked',
    detail: '600 unattended-upgr (process 1234)',
    cause: /all of the 600 s that this job waited: unattended-upgr \(process 1234\) held its lock/,
    cure: /`ps -fp 1234`.*do not delete lock files/,
    input: 'host',
  },
  { code: 'packages-locked', detail: '600 another program', cause: /: another program held/, cure: /`ps`/ },
  {
    code: 'packages-sources',
    detail: '/etc/apt/sources.list.d/shop.list',
    lines: ['E: Malformed entry 2 in list file /etc/apt/sources.list.d/shop.list (URI parse)'],
    cause: /package sources \/etc\/apt\/sources\.list\.d\/shop\.list \(entry 2\)/,
    cure: /Correct or remove \/etc\/apt\/sources\.list\.d\/shop\.list/,
    input: 'host',
  },
  {
    code: 'packages-removals',
    detail: 'install exim4-base exim4',
    cause: /only if `exim4-base`, `exim4` were removed/,
    cure: /`packages`/,
    input: 'packages',
  },
  {
    code: 'packages-removals',
    detail: 'fix shop-tools',
    cause: /only by removing `shop-tools`/,
    cure: /`apt-get -f install`/,
    input: 'host',
  },
  {
    code: 'packages-broken',
    detail: 'configure grub-pc',
    cause: /`grub-pc` on the server cannot be configured/,
    cure: /`dpkg --configure -a`.*`apt-get purge grub-pc`/,
    input: 'host',
  },
  {
    code: 'packages-broken',
    detail: 'reinstall ncal',
    cause: /was cut while it installed `ncal`/,
    cure: /`apt-get install --reinstall ncal`/,
  },
  {
    // nginx' own script fails where its port is taken: that is what has to be told.
    code: 'packages-broken',
    detail: 'configure nginx',
    lines: ['nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)'],
    cause: /taken port 80/,
    cure: /ss -ltnp/,
    becomes: 'packages',
  },
  {
    code: 'nginx-start',
    lines: ['nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)'],
    cause: /port 80/,
    cure: /apache2/,
  },
  {
    code: 'nginx-broken',
    lines: [
      'nginx: [emerg] unknown directive "htttp" in /etc/nginx/sites-enabled/other:3',
      'nginx: configuration file /etc/nginx/nginx.conf test failed',
    ],
    cause: /not this app's.*sites-enabled\/other, line 3/,
    cure: /`nginx -t`/,
  },
  {
    code: 'nginx-config',
    lines: ['nginx: [emerg] invalid server name in /etc/nginx/sites-enabled/web-blog.conf:9'],
    cause: /this app's site: invalid server name/,
    cure: /`domain`/,
    input: 'domain',
  },
  { code: 'nginx-config', cause: /old configuration is back/, cure: /log/ },
]

const others: readonly Case[] = [
  { code: 'disk', cause: /full/, cure: /df -h/, input: 'keep-releases' },
  {
    code: 'disk',
    detail: '/run 3200',
    cause: /\/run is full: 3 MB are left; .* in the server's memory/,
    cure: /`du -xh \/run \|.*reboot/,
    input: 'host',
  },
  {
    code: 'inodes',
    detail: '/run 2',
    cause: /\/run.* can hold no more files/,
    cure: /`du --inodes -xS \/run/,
    input: 'host',
  },
  {
    code: 'lock-timeout',
    detail: 'https://github.com/o/r/actions/runs/1 (octocat)',
    cause: /more than 600 s: https:\/\/github\.com\/o\/r\/actions\/runs\/1/,
    cure: /`lock-timeout`/,
    input: 'lock-timeout',
  },
  { code: 'facts-changed', detail: '7', cause: /Another deploy/, cure: /`concurrency`/ },
  {
    code: 'owner',
    detail: 'other/blog',
    cause: /belongs to the repository other\/blog/,
    cure: /`name`/,
    input: 'name',
  },
  { code: 'reserved-path', detail: '.venv', cause: /`\.venv`/, cure: /`exclude`/, input: 'exclude' },
  {
    code: 'smoke-wrong-release',
    detail: 'Something else answered 200 (Apache), not this release.',
    cause: /Apache/,
    cure: /`domain`/,
  },
  {
    code: 'smoke-status',
    detail: 'This release answered 500; good would be any under 500.',
    cause: /answered 500/,
    cure: /`smoke-url`/,
  },
  { code: 'smoke-text', cause: /`expect-text`/, cure: /`expect-text`/, input: 'expect-text' },
  { code: 'smoke-unreachable', cause: /neither from outside/, cure: /systemctl status nginx/ },
  {
    code: 'smoke-unreachable-outside',
    cause: /ufw is active/,
    cure: /`ufw allow 80\/tcp`/,
    situation: { ufw: true },
  },
  { code: 'smoke-unreachable-outside', cause: /a firewall stands/, cure: /provider's control panel/ },
  { code: 'sudo-absent', cause: /deploy is not root/, cure: /`user`/, input: 'user' },
  { code: 'sudo-password-needed', cause: /asks deploy/, cure: /`sudo-password`/, input: 'sudo-password' },
  { code: 'sudo-password-wrong', cause: /did not accept/, cure: /secret/, input: 'sudo-password' },
  {
    code: 'not-root',
    lines: ['deploy is not in the sudoers file.'],
    cause: /does not let deploy/,
    cure: /usermod -aG sudo/,
    becomes: 'sudo-not-allowed',
  },
  {
    code: 'not-root',
    lines: ["sudo-rs: I'm sorry deploy. I'm afraid I can't do that"],
    cause: /does not let deploy/,
    cure: /visudo|usermod/,
    becomes: 'sudo-not-allowed',
  },
  {
    code: 'not-root',
    lines: ['sudo: sorry, you must have a tty to run sudo'],
    cause: /requiretty/,
    cure: /visudo/,
    becomes: 'sudo-tty',
  },
  {
    code: 'quantum-flux',
    detail: '42',
    cause: /`quantum-flux` \(42\).*no explanation yet/,
    cure: /report it/,
  },
  { code: 'constructor', cause: /no explanation yet/, cure: /report it/ },
]

const died = 'web-blog-20261122184800-abc1234.service: Main process exited, code'

/** What a signal ended, where it was not for want of memory. */
const signals: readonly Case[] = [
  {
    code: 'release-command',
    detail: '137',
    lines: ['so far', 'Killed'],
    cause: /^The release command was ended by SIGKILL: .*; its last line is: so far\.$/,
    cure: /journalctl -k/,
    input: 'release-command',
  },
  {
    code: 'run',
    detail: '139',
    cause: /^The command was ended by SIGSEGV: it crashed/,
    cure: /compiled code/,
  },
  { code: 'first-deploy-command', detail: '162', cause: /ended by signal 34:/, cure: /Find out/ },
  { code: 'release-command', detail: '128', cause: /exit status 128/, cure: /Correct/ },
  { code: 'release-command', detail: '255', cause: /exit status 255/, cure: /Correct/ },
  {
    code: 'build-killed',
    detail: '9 requirements.txt',
    cause: /packages of requirements\.txt was ended by SIGKILL/,
    cure: /ends processes/,
    file: 'requirements.txt',
  },
  {
    code: 'app-killed',
    detail: '4',
    cause: /was ended by SIGILL: it has instructions/,
    cure: /older processors/,
  },
  {
    code: 'app-exited',
    lines: ['here', `${died}=dumped, status=11/SEGV`, "Failed with result 'core-dump'."],
    cause: /while it started, was ended by SIGSEGV/,
    cure: /compiled code/,
  },
  {
    // An earlier try's main process, ended by us.
    code: 'app-exited',
    lines: [`${died}=killed, status=9/KILL`, 'bye', `${died}=exited, status=1/FAILURE`],
    cause: /The app was killed|The app ended/,
    cure: /./,
  },
  {
    code: 'app-exited',
    lines: ['A process of this unit has been killed by the OOM killer.', `${died}=killed, status=9/KILL`],
    cause: /too little memory/,
    cure: /`workers`/,
  },
  {
    code: 'worker-restarted',
    detail: '200',
    lines: ['[4711] [ERROR] Worker (pid:4712) was sent SIGSEGV!'],
    cause: /A process of the new release was ended by SIGSEGV/,
    cure: /compiled code/,
  },
  {
    // gunicorn's own time limit ends a process so.
    code: 'worker-restarted',
    lines: ['[CRITICAL] WORKER TIMEOUT (pid:4712)', '[ERROR] Worker (pid:4712) was sent SIGABRT!'],
    cause: /died and was started anew/,
    cure: /log/,
  },
]

describe.each([
  ['the app', app],
  ['signals', signals],
  ['tools', tools],
  ['the rest', others],
])('failures of %s', (_, cases) => {
  test.each(cases)('$code $detail: $cause', (one) => {
    const lines = one.lines ?? []
    const error = diagnose(
      { code: one.code, detail: one.detail ?? '', lines },
      { ...situation, ...one.situation },
    )
    const [explanation] = error.explanations
    expect(explanation?.cause).toMatch(one.cause)
    expect(explanation?.cure).toMatch(one.cure)
    expect(error.code).toBe(one.becomes ?? one.code)
    expect(error.lines).toEqual(lines)
    if (one.input !== undefined) expect(explanation?.input).toBe(one.input)
    if (one.file !== undefined) expect(explanation?.file).toBe(one.file)
  })
})

test('every code explains itself in whole sentences, with nothing known and with nonsense', () => {
  for (const code of diagnosed) {
    for (const detail of ['', 'x'.repeat(5000), '\x1b[31m\n::error::']) {
      const error = diagnose({ code, detail, lines: [detail] }, situation)
      expect(error.explanations).toHaveLength(1)
      for (const { cause, cure } of error.explanations) {
        expect(cause, code).toMatch(/^\S.*[.…]$/s)
        expect(cure, code).toMatch(/^[A-Z].*\.$/s)
        expect(`${cause}${cure}`, code).not.toMatch(/undefined|\x1b|\n/)
        expect(cause.length + cure.length, code).toBeLessThan(1500)
      }
    }
  }
})

test('every code that the program on the server can fail with is explained', async () => {
  const { readdirSync, readFileSync } = await import('node:fs')
  const folder = new URL('../../remote/', import.meta.url)
  const text = readdirSync(folder)
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n')
    .replaceAll(/^\s*#.*$/gm, '')
  const codes = [...text.matchAll(/\bfail ([a-z][a-z-]+)/g), ...text.matchAll(/"fail ([a-z][a-z-]+)/g)].map(
    ([, code = '']) => code,
  )
  const unexplained = new Set(
    codes.filter((code) => !diagnosed.includes(code) && !diagnosed.includes(`smoke-${code}`)),
  )
  expect([...unexplained].toSorted()).toEqual(['internal'])
})
