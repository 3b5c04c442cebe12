import { expect, test } from 'vitest'
import { chooseWheels, requirementsText } from '../../src/wheels/lock.ts'

const target = { minor: 11, arch: 'x86_64', glibc: 36 }
const sha256 = 'ab'.repeat(32)
const wheel = (file: string, hash = sha256) =>
  `{ url = "https://files.example/x/${file}", size = 1, hashes = { sha256 = "${hash}" } }`
const lock = (name: string, wheels: string, version = '1.0') =>
  `lock-version = "1.0"\n[[packages]]\nname = "${name}"\nversion = "${version}"\n${wheels === '' ? '' : `wheels = [${wheels}]\n`}`

test('the best wheel of each package is taken, with its address and hash', () => {
  const text = `${lock('flask', wheel('flask-1.0-py3-none-any.whl'))}
[[packages]]
name = "markupsafe"
version = "3.0"
wheels = [${wheel('markupsafe-3.0-py3-none-any.whl')}, ${wheel('MarkupSafe-3.0-cp311-cp311-manylinux2014_x86_64.whl', 'cd'.repeat(32))}]
`
  expect(chooseWheels(text, target)).toEqual({
    wheels: [
      {
        name: 'flask',
        version: '1.0',
        file: 'flask-1.0-py3-none-any.whl',
        url: new URL('https://files.example/x/flask-1.0-py3-none-any.whl'),
        sha256,
      },
      expect.objectContaining({ name: 'markupsafe', sha256: 'cd'.repeat(32) }),
    ],
    without: [],
  })
})

test.each([
  ['has none', ''],
  ['has none for this server', wheel('a-1.0-cp312-cp312-manylinux2014_x86_64.whl')],
  ['has another name', wheel('b-1.0-py3-none-any.whl')],
  ['has no hash', '{ url = "https://files.example/a-1.0-py3-none-any.whl", hashes = {} }'],
  ['has a hash that is none', wheel('a-1.0-py3-none-any.whl', 'x'.repeat(64))],
  ['lies on the disk', `{ url = "file:///a-1.0-py3-none-any.whl", hashes = { sha256 = "${sha256}" } }`],
  ['has only a path', `{ path = "a-1.0-py3-none-any.whl", hashes = { sha256 = "${sha256}" } }`],
  [
    'has a name that is a way out',
    `{ name = "../a-1.0-py3-none-any.whl", url = "https://x.example/", hashes = { sha256 = "${sha256}" } }`,
  ],
  ['hides a slash in its address', wheel('..%2Fa-1.0-py3-none-any.whl')],
  ['is no table', '3'],
])('a package whose wheel %s is told', (_what, wheels) => {
  expect(chooseWheels(lock('a', wheels), target)).toEqual({ wheels: [], without: ['a'] })
})

test('a version that would be more than a version is not taken', () => {
  const text = lock('a', wheel('a-1.0-py3-none-any.whl'), '1.0\\n--index-url http://x')
  expect(chooseWheels(text, target).without).toEqual(['a'])
})

test.each(['[', 'packages = [3]', '[[packages]]\nversion = "1"'])('%j is no lock', (text) => {
  expect(() => chooseWheels(text, target)).toThrow(/./)
})

test('the server installs exactly these, by hash, from where it keeps them', () => {
  const wheels = [
    { name: 'b', version: '2', sha256: '22'.repeat(32) },
    { name: 'a', version: '1+cpu', sha256: '11'.repeat(32) },
  ]
  expect(requirementsText(wheels, (hash) => `/store/${hash.slice(0, 2)}`)).toBe(
    `--no-index
--find-links /store/11
--find-links /store/22
a==1+cpu --hash=sha256:${'11'.repeat(32)}
b==2 --hash=sha256:${'22'.repeat(32)}
`,
  )
})
