import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { DEV, namedNeeds, renderNeeds, saidNeed, saidNeeds } from '../../src/config/needs.ts'

/** What programs really say, and the packages that it leads to. */
const said: readonly (readonly [line: string, ...packages: string[]])[] = [
  ['Error: pg_config executable not found.', 'libpq-dev', 'gcc', 'libc6-dev', DEV],
  [
    './psycopg/psycopg.h:36:10: fatal error: libpq-fe.h: No such file or directory',
    'libpq-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'Exception: Can not find valid pkg-config name.',
    'default-libmysqlclient-dev',
    'pkg-config',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  ["error: command 'gcc' failed: No such file or directory", 'gcc', 'libc6-dev', DEV],
  [
    "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed: No such file or directory",
    'gcc',
    'libc6-dev',
    DEV,
  ],
  ["unable to execute 'x86_64-linux-gnu-gcc': No such file or directory", 'gcc', 'libc6-dev', DEV],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'gcc'", 'gcc', 'libc6-dev', DEV],
  ["error: command 'aarch64-linux-gnu-gcc-12' failed: No such file or directory", 'gcc', 'libc6-dev', DEV],
  ["ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]", 'gcc', 'libc6-dev', DEV, 'g++'],
  ['error: linker `cc` not found', 'gcc', 'libc6-dev', DEV],
  ["error: command 'g++' failed: No such file or directory", 'g++', 'libc6-dev', DEV],
  ["gcc: fatal error: cannot execute 'cc1plus': execvp: No such file or directory"],
  ['src/x.c:1:10: fatal error: Python.h: No such file or directory', 'gcc', 'libc6-dev', DEV],
  ["src/x.c:1:10: fatal error: 'Python.h' file not found", 'gcc', 'libc6-dev', DEV],
  ["error: can't find Rust compiler", 'cargo', 'gcc', 'libc6-dev', DEV],
  ['Cargo, the Rust package manager, is not installed or is not on PATH.', 'cargo', 'gcc', 'libc6-dev', DEV],
  [
    "FileNotFoundError: [Errno 2] No such file or directory: 'cmake'",
    'cmake',
    'g++',
    'make',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory',
    'libffi-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'x.c:3:10: fatal error: openssl/opensslv.h: No such file or directory',
    'libssl-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'Error: Please make sure the libxml2 and libxslt development packages are installed.',
    'libxml2-dev',
    'libxslt1-dev',
    'zlib1g-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    '/bin/sh: 1: xslt-config: not found',
    'libxml2-dev',
    'libxslt1-dev',
    'zlib1g-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'The headers or library files could not be found for jpeg,',
    'libjpeg-dev',
    'zlib1g-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  [
    'Modules/common.h:10:10: fatal error: lber.h: No such file or directory',
    'libldap-dev|libldap2-dev',
    'gcc',
    'libc6-dev',
    DEV,
  ],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'git'", 'git'],
  ['/bin/sh: 1: git: not found', 'git'],
  ['bash: line 1: git: command not found', 'git'],
  ["/usr/bin/env: 'node': No such file or directory", 'nodejs'],
  ['  Git executable not found. Ensure that Git is installed and available.', 'git'],
  ['ImportError: Bad git executable.', 'git'],
  [
    'ImportError: libGL.so.1: cannot open shared object file: No such file or directory',
    'libgl1|libgl1-mesa-glx',
  ],
  ['ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory', 'libstdc++6'],
  ['ImportError: libpq.so.5: cannot open shared object file: No such file or directory', 'libpq5'],
  ['ImportError: failed to find libmagic.  Check your installation', 'libmagic1t64|libmagic1'],
  ['ImportError: no pq wrapper available.', 'libpq5'],
  [`OSError: no library called "cairo-2" was found`, 'libcairo2'],
  [
    "OSError: cannot load library 'gobject-2.0-0': gobject-2.0-0: cannot open shared object file",
    'libpango-1.0-0',
    'libpangoft2-1.0-0',
    'libharfbuzz0b',
  ],
  [
    "pytesseract.pytesseract.TesseractNotFoundError: tesseract is not installed or it's not in your PATH.",
    'tesseract-ocr',
  ],
]

/** What is said of other things. */
const unrelated = [
  "FileNotFoundError: [Errno 2] No such file or directory: 'config.json'",
  "FileNotFoundError: [Errno 2] No such file or directory: 'git.log'",
  "error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1",
  'building with gcc 12.2 and cmake',
  "ModuleNotFoundError: No module named 'git'",
  'legit: not found',
  'x.c:1:10: fatal error: mine.h: No such file or directory',
]

const leadsTo = (line: string) => [
  ...new Set(saidNeeds.filter(({ fits }) => new RegExp(fits).test(line)).flatMap(({ packages }) => packages)),
]

test.each(said)('%s', (line, ...packages) => {
  expect(leadsTo(line)).toEqual(packages)
})

test.each(unrelated)('nothing is made of: %s', (line) => {
  expect(saidNeed(line)).toBeUndefined()
})

test('grep on the server reads each pattern as JavaScript does', () => {
  const lines = [...said.map(([line]) => line), ...unrelated]
  for (const { fits } of saidNeeds) {
    const found = grep(fits, lines)
    expect({ fits, found }).toEqual({ fits, found: lines.filter((line) => new RegExp(fits).test(line)) })
  }
})

test('the table is one row a line, three fields each', () => {
  for (const row of renderNeeds().trimEnd().split('\n')) {
    expect(row.split('\t').map((field) => field.trim() !== '')).toEqual([true, true, true])
    expect(row).toMatch(/^[a-z0-9@|. +-]+\t/)
  }
})

test('what has no wheel, or calls a program, is known by its name', () => {
  expect(namedNeeds(['flask', 'psycopg2', 'gitpython', 'psycopg2-binary'])).toEqual([
    { packages: ['git'], why: 'gitpython uses it' },
    { packages: ['libpq-dev', 'gcc', 'libc6-dev', DEV], why: 'psycopg2 has to be compiled' },
  ])
  expect(namedNeeds(['constructor', 'toString'])).toEqual([])
})

function grep(pattern: string, lines: readonly string[]): readonly string[] {
  try {
    const input = `${lines.join('\n')}\n`
    const found = execFileSync('grep', ['-Ea', '-e', pattern], {
      input,
      env: { LC_ALL: 'C', PATH: process.env['PATH'] },
    })
    return found.toString().trimEnd().split('\n')
  } catch {
    return []
  }
}
