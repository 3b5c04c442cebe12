import fc from 'fast-check'

/*
 * What the renderers are tried with: plain words, and everything that some parser acts on, mixed on purpose.
 */

const plain = [
  'static',
  'wsgi',
  'Hello, world',
  'a/b.css',
  '42',
  'blog.example.com',
  'x=1',
  'instance/data.db',
]

/** What sh, systemd, nginx, Python, JSON, HTML or Markdown acts on, and what people take for it. */
const active = [
  ...Array.from('\'"\\`$%&;|<>(){}[]*?~!#=:,.@^+-_/'),
  ...[
    '$(id)',
    '`id`',
    '${HOME}',
    '$HOME',
    '$$',
    '$$$',
    '${',
    '$1',
    '$uri',
    '%n',
    '%%',
    '%h%i',
    '%0a',
    '%2e%2e',
  ],
  ...[
    "'\\''",
    `'"'"'`,
    '\\n',
    '\\\\',
    '\\x41',
    '\\u0041',
    '\\u{41}',
    '\\N{DASH}',
    '\\101',
    '\\\n',
    '{{ x }}',
    '{%',
  ],
  ...[
    '-',
    '--',
    '-rf',
    '#x',
    ' #x',
    ';',
    ' ; ',
    '&&',
    '||',
    '=',
    '..',
    '../',
    '~root',
    '!!',
    '%(x)s',
    '::error::x',
  ],
  ...[
    '**b**',
    '__u__',
    '~~s~~',
    '](x)',
    '![i](x)',
    '[^1]',
    '<!--',
    '</pre>',
    '</code>',
    '<b>',
    '<script>',
    '&amp;',
  ],
  ...[
    '&#64;',
    'a@b.example',
    '@octocat',
    '#1',
    ':smile:',
    'www.x.example',
    'http://x.example/',
    'mailto:a@b.example',
  ],
  ...[
    '\n\n# h',
    '\n- l',
    '\n1. l',
    '\n> q',
    '\n```\n',
    '|',
    '\n| - |',
    '\n===',
    '    code',
    '[x]',
    '\n[x]: y',
    '$x$',
  ],
]

const blank = [
  ' ',
  '  ',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '\v',
  '\f',
  '\u00a0',
  '\u2028',
  '\u2029',
  '\u0085',
]

const foreign = [
  ...[
    'é',
    'e\u0301',
    'ß',
    'İ',
    'ǅ',
    'größe',
    '日本',
    'हिन्दी',
    'עברית',
    '\u202eabc\u202c',
    '\u200b',
    '\u200d',
    '\ufeff',
    '\ufffd',
  ],
  ...['🦄', '👩‍👩‍👧', '\u{10fffd}', '\u{e0001}', '\ufdcf', '\ufdf0', '＄', '；', '＂'],
]

/** C0 but NUL, DEL, and C1. */
const control = [...range(0x01, 0x1f), ...range(0x7f, 0x9f)].map((code) => String.fromCharCode(code))

/** What no server can hold: NUL, half pairs, and what systemd takes for broken UTF-8. */
export const impossible = [
  '\0',
  '\ud800',
  '\udc00',
  '\udfff',
  '\ufffe',
  '\uffff',
  '\u{fdd0}',
  '\u{fdef}',
  '\u{1ffff}',
  '\u{10fffe}',
]

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

/**
 * Texts of every kind: about one in twelve is impossible, one in six holds a control character, some are empty, a few
 * are thousands of characters long. Those without any of this are the greater part.
 */
export function texts(): fc.Arbitrary<string> {
  const usual = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...active) },
    { weight: 3, arbitrary: fc.constantFrom(...plain) },
    { weight: 2, arbitrary: fc.constantFrom(...blank) },
    { weight: 2, arbitrary: fc.constantFrom(...foreign) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 3 }).map(printable) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }).map(printable) },
  )
  const joined = (parts: fc.Arbitrary<string>, most: number) =>
    fc.array(parts, { maxLength: most }).map((list) => list.join(''))
  const within = (odd: readonly string[]) =>
    fc.tuple(joined(usual, 4), fc.constantFrom(...odd), joined(usual, 4)).map((parts) => parts.join(''))
  return fc.oneof(
    { weight: 60, arbitrary: joined(usual, 8) },
    { weight: 20, arbitrary: joined(fc.constantFrom(...plain, ' ', '/', '-'), 4) },
    { weight: 18, arbitrary: within(control) },
    { weight: 9, arbitrary: within(impossible) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(joined(usual, 6), fc.integer({ min: 20, max: 400 }))
        .map(([text, times]) => text.repeat(times)),
    },
  )
}

/** Control and impossible characters have shares of their own. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Noncharacter_Code_Point}\ud800-\udfff]/gu, '')
}

/** Texts of one line without control characters: what an input of one line may let through. */
export function lines(): fc.Arbitrary<string> {
  return texts().map((text) =>
    text
      .replace(/[\p{Cc}\u2028\u2029]/gu, '')
      .slice(0, 200)
      .toWellFormed(),
  )
}
