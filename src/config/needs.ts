import { headers, libraries, programs } from './need-names.ts'

/*
 * Which Debian packages a Python package or a program needs beside what the index has. One table for three readers: the
 * plan (what the dependencies' names tell), the server (what a failed build or start said, remote/packages.sh), and the
 * diagnosis. A project or an index chooses nothing but which of these rows hold.
 */

/** Some Debian packages, and what for. `a|b`: the first that the distribution has. {@link DEV}: see there. */
export interface Need {
  readonly packages: readonly string[]
  /** Completes "because ...". */
  readonly why: string
}

/** What a failed program says where something is missing. */
export interface SaidNeed extends Need {
  /** Read by `grep -E` and by JavaScript alike: nothing that either alone understands. */
  readonly fits: string
}

/** Stands for the headers of the Python in use: `python3-dev`, `python3.12-dev`, or none where it brings its own. */
export const DEV = '@dev'

/** gcc's package only recommends the C library's headers. */
const compiler = ['gcc', 'libc6-dev', DEV] as const

/**
 * By a distribution's name (PEP 503): those of which the index has no wheel for Linux, or whose wheel calls a program or a
 * library of the system's. Names of libraries that differ by release stand in {@link saidNeeds} alone.
 */
const named: Readonly<Record<string, readonly string[]>> = {
  cairocffi: ['libcairo2'],
  cairosvg: ['libcairo2'],
  'ffmpeg-python': ['ffmpeg'],
  gitpython: ['git'],
  graphviz: ['graphviz'],
  m2crypto: ['libssl-dev', 'swig', ...compiler],
  mysqlclient: ['default-libmysqlclient-dev', 'pkg-config', ...compiler],
  netifaces: compiler,
  pdf2image: ['poppler-utils'],
  psycopg2: ['libpq-dev', ...compiler],
  'psycopg-c': ['libpq-dev', ...compiler],
  pydub: ['ffmpeg'],
  pyenchant: ['libenchant-2-2'],
  pygraphviz: ['libgraphviz-dev', 'graphviz', ...compiler],
  pypandoc: ['pandoc'],
  pysaml2: ['xmlsec1'],
  pytesseract: ['tesseract-ocr'],
  'python-ldap': ['libldap-dev|libldap2-dev', 'libsasl2-dev', ...compiler],
  'python-magic': ['libmagic1|libmagic1t64'],
  'python-nmap': ['nmap'],
  uwsgi: compiler,
  weasyprint: ['libpango-1.0-0', 'libpangoft2-1.0-0', 'libharfbuzz0b'],
}

/**
 * What these dependencies need, as far as their names tell.
 * @param names normalised (PEP 503)
 */
export function namedNeeds(names: readonly string[]): readonly Need[] {
  return [...new Set(names)].toSorted().flatMap((name) => {
    const packages = Object.hasOwn(named, name) ? named[name] : undefined
    if (packages === undefined) return []
    return [{ packages, why: packages.includes('gcc') ? `${name} has to be compiled` : `${name} uses it` }]
  })
}

const COMPILER =
  "([Uu]nable to execute|error: command|error trying to exec|No such file or directory:) '?(/usr/bin/)?([a-z0-9_]+-linux-gnu-)?(gcc|cc)(-[0-9]+)?'?(:| failed: No such|$)" +
  '|(^|[: ])([a-z0-9_]+-linux-gnu-)?(gcc|cc): (command )?not found|Unknown compiler\\(s\\)|No CMAKE_C(XX)?_COMPILER could be found' +
  '|you need a C compiler to build|linker `cc` not found|no acceptable C compiler found'

/** What programs say where something of the system's is missing. All rows that fit count. */
export const saidNeeds: readonly SaidNeed[] = [
  {
    fits: 'pg_config(: (command )?not found| executable not found| is required)|No such file or directory: .pg_config|pg_config_executable',
    packages: ['libpq-dev', ...compiler],
    why: 'pg_config was not found',
  },
  {
    fits: 'mysql_config(: | )not found|Can not find valid pkg-config name',
    packages: ['default-libmysqlclient-dev', 'pkg-config', ...compiler],
    why: 'mysqlclient had to be compiled',
  },
  { fits: COMPILER, packages: [...compiler], why: 'there was no C compiler' },
  {
    fits: "(error: command|error trying to exec|No such file or directory:) '?(/usr/bin/)?([a-z0-9_]+-linux-gnu-)?(g\\+\\+|c\\+\\+|cc1plus)'?(:| failed: No such|$)|(^|[: ])([a-z0-9_]+-linux-gnu-)?[gc]\\+\\+: (command )?not found|Unknown compiler\\(s\\)|No CMAKE_CXX_COMPILER could be found",
    packages: ['g++', 'libc6-dev', DEV],
    why: 'there was no C++ compiler',
  },
  {
    fits: 'Python\\.h(: No such file|. file not found)|Could NOT find Python',
    packages: [...compiler],
    why: 'Python.h was missing',
  },
  {
    fits: "can't find Rust compiler|Cargo, the Rust package manager, is not installed|No such file or directory: '(cargo|rustc)'|(^|[: ])(cargo|rustc): (command )?not found|cargo. could not be found|Rust not found",
    packages: ['cargo', ...compiler],
    why: 'there was no Rust compiler',
  },
  {
    fits: "No such file or directory: 'cmake'|(^|[: ])cmake: (command )?not found|CMake must be installed|Could NOT find CMake|Missing CMake executable",
    packages: ['cmake', 'g++', 'make', ...compiler],
    why: 'cmake was not found',
  },
  {
    fits: 'libxml2 and libxslt development packages|xml2-config(: (command )?not found)|xslt-config(: (command )?not found)',
    packages: ['libxml2-dev', 'libxslt1-dev', 'zlib1g-dev', ...compiler],
    why: 'lxml had to be compiled',
  },
  {
    fits: 'headers or library files could not be found for (jpeg|zlib)|RequiredDependencyException: (jpeg|zlib)',
    packages: ['libjpeg-dev', 'zlib1g-dev', ...compiler],
    why: 'Pillow had to be compiled',
  },
  {
    fits: 'Could not find directory of OpenSSL installation|Could NOT find OpenSSL',
    packages: ['libssl-dev', 'pkg-config', ...compiler],
    why: 'the headers of OpenSSL were missing',
  },
  {
    fits: "curl-config(: (command )?not found)|Could not run curl-config|No such file or directory: 'curl-config'",
    packages: ['libcurl4-openssl-dev', 'libssl-dev', ...compiler],
    why: 'pycurl had to be compiled',
  },
  {
    fits: "krb5-config(: (command )?not found)|No such file or directory: 'krb5-config'",
    packages: ['libkrb5-dev', ...compiler],
    why: 'krb5-config was not found',
  },
  {
    fits: "[Nn]o package '?xmlsec1'? found|Package xmlsec1 was not found",
    packages: ['libxmlsec1-dev', 'libxml2-dev', 'pkg-config', ...compiler],
    why: 'xmlsec had to be compiled',
  },
  {
    fits: "[Nn]o package '?libffi'? found|Package libffi was not found",
    packages: ['libffi-dev', 'pkg-config', ...compiler],
    why: 'the headers of libffi were missing',
  },
  {
    fits: '[Nn]o package \'?cairo\'? found|Package cairo was not found|Dependency "?cairo"? not found',
    packages: ['libcairo2-dev', 'pkg-config', ...compiler],
    why: 'the headers of cairo were missing',
  },
  {
    fits: "gdal-config(: (command )?not found)|No such file or directory: 'gdal-config'",
    packages: ['libgdal-dev', 'g++', ...compiler],
    why: 'gdal-config was not found',
  },
  {
    fits: "geos-config(: (command )?not found)|No such file or directory: 'geos-config'|Could not find geos_c|Could not find lib geos_c",
    packages: ['libgeos-dev', ...compiler],
    why: 'geos-config was not found',
  },
  {
    fits: 'Did not find pkg-config|Pkg-config.* not found|Unable to invoke pkg-config|Could not find pkg-config|pkg-config. command could not be found',
    packages: ['pkg-config'],
    why: 'pkg-config was not found',
  },
  {
    fits: 'failed to find libmagic',
    packages: ['libmagic1t64|libmagic1'],
    why: 'python-magic found no libmagic',
  },
  {
    fits: 'libpq library not found|no pq wrapper available',
    packages: ['libpq5'],
    why: 'psycopg found no libpq',
  },
  {
    fits: 'Git executable not found|Bad git executable|Failed to initialize: Bad git|git executable must be specified',
    packages: ['git'],
    why: 'git was not found',
  },
  {
    fits: 'no library called "(lib)?cairo(-2)?" was found|cannot load library \'(lib)?cairo',
    packages: ['libcairo2'],
    why: 'no cairo was found',
  },
  {
    fits: 'cannot load library \'(lib)?(gobject|pango|pangoft2|harfbuzz)|no library called "(lib)?(gobject|pango)',
    packages: ['libpango-1.0-0', 'libpangoft2-1.0-0', 'libharfbuzz0b'],
    why: 'no Pango was found',
  },
  {
    fits: "The 'enchant' C library was not found",
    packages: ['libenchant-2-2'],
    why: 'pyenchant found no enchant',
  },
  {
    fits: 'MagickWand shared library not found',
    packages: ['libmagickwand-dev'],
    why: 'Wand found no MagickWand',
  },
  {
    fits: 'tesseract is not installed or it',
    packages: ['tesseract-ocr'],
    why: 'tesseract was not found',
  },
  { fits: 'Is poppler installed and in PATH', packages: ['poppler-utils'], why: 'poppler was not found' },
  {
    fits: 'make sure the Graphviz executables are on your systems',
    packages: ['graphviz'],
    why: 'Graphviz was not found',
  },
  {
    fits: 'No wkhtmltopdf executable found',
    packages: ['wkhtmltopdf'],
    why: 'wkhtmltopdf was not found',
  },
  { fits: 'No pandoc was found', packages: ['pandoc'], why: 'pandoc was not found' },
  {
    fits: 'Unable to find zbar shared library',
    packages: ['libzbar0t64|libzbar0'],
    why: 'pyzbar found no zbar',
  },
  ...Object.entries(headers).map(([header, name]) => ({
    fits: `fatal error: '?${escaped(header)}[^ ]*(: No such file| file not found)`,
    packages: [name, ...compiler],
    why: `the header ${header}${header.endsWith('/') ? '...' : ''} was missing`,
  })),
  ...Object.entries(libraries).map(([library, name]) => ({
    fits: `${escaped(library)}[0-9.]*: cannot open shared object file`,
    packages: [name],
    why: `${library} was not found`,
  })),
  ...Object.entries(programs).map(([program, name]) => ({
    fits: `No such file or directory: '([a-z/]*/)?${program}'|(^|[: ])${program}: (command )?not found|env: .?${program}.?: No such file`,
    packages: [name],
    why: `the program ${program} was not found`,
  })),
]

/** Fits whatever one of {@link saidNeeds} fits. */
export const anyNeed: RegExp = new RegExp(saidNeeds.map(({ fits }) => `(?:${fits})`).join('|'))

/** The first row that a line of a program's output fits. */
export function saidNeed(line: string): SaidNeed | undefined {
  return compiled.find(({ pattern }) => pattern.test(line))?.need
}

const compiled = saidNeeds.map((need) => ({ need, pattern: new RegExp(need.fits) }))

/** The table for the server: a row is packages, why and pattern, parted by tabs. */
export function renderNeeds(): string {
  return saidNeeds.map((one) => `${one.packages.join(' ')}\t${one.why}\t${one.fits}\n`).join('')
}

/** The names that a person may write into `packages`. */
export function writtenNames(packages: readonly string[]): readonly string[] {
  return packages.map((one) => (one === DEV ? 'python3-dev' : (one.split('|')[0] ?? one)))
}

function escaped(text: string): string {
  return text.replaceAll(/[.+]/g, '\\$&')
}
