import { expect, test } from 'vitest'
import { uv } from '../../src/plan/pins.ts'
import { parseIndexPage } from '../../src/wheels/index-page.ts'
import { knownWheels } from '../../src/wheels/uv-tool.ts'

const address = new URL('https://index.example/simple/uv/')
const sha256 = 'ab'.repeat(32)
const json = 'application/vnd.pypi.simple.v1+json'

test('a page as JSON tells files and hashes', () => {
  const page = JSON.stringify({
    files: [
      { filename: 'a-1-py3-none-any.whl', url: '/files/a-1-py3-none-any.whl', hashes: { sha256 } },
      { filename: 'a-1.tar.gz', url: 'https://files.example/a-1.tar.gz#egg=x', hashes: {} },
    ],
  })
  expect(parseIndexPage(page, json, address)).toEqual([
    {
      file: 'a-1-py3-none-any.whl',
      url: new URL('https://index.example/files/a-1-py3-none-any.whl'),
      sha256,
    },
    { file: 'a-1.tar.gz', url: new URL('https://files.example/a-1.tar.gz'), sha256: undefined },
  ])
})

test('a page as HTML tells the same', () => {
  const page = `<!DOCTYPE html><html><body>
    <a data-requires-python="&gt;=3.8" href="../../files/a%2B1.whl?a=1&amp;b=2#sha256=${sha256}">a</a>
    <A HREF='b.whl#md5=00'>b</A></body></html>`
  expect(parseIndexPage(page, 'text/html; charset=utf-8', address)).toEqual([
    { file: 'a+1.whl', url: new URL('https://index.example/files/a%2B1.whl?a=1&b=2'), sha256 },
    { file: 'b.whl', url: new URL('https://index.example/simple/uv/b.whl'), sha256: undefined },
  ])
})

test.each([
  '[]',
  'null',
  '{"files": 3}',
  '{"files": [null, 3, [], {"url": 7}]}',
  '{',
  '{"files": [{"filename": "../../etc/passwd", "url": "/a"}]}',
  '{"files": [{"filename": "a/b.whl", "url": "/a"}]}',
  '{"files": [{"filename": "a\\nb.whl", "url": "/a"}]}',
  '{"files": [{"filename": "-a.whl", "url": "/a"}]}',
  '{"files": [{"filename": "a.whl", "url": "file:///etc/passwd"}]}',
  '{"files": [{"filename": "a.whl", "url": "https://"}]}',
])('nothing is taken from %s', (page) => {
  expect(parseIndexPage(page, json, address)).toEqual([])
})

test.each(['<a href="%2e%2e%2fa.whl">', '<a href="%E0%A4%A.whl">', '<a href="javascript:a.whl">', '<a>'])(
  'nor from %s',
  (page) => {
    expect(parseIndexPage(page, 'text/html', address)).toEqual([])
  },
)

test('of uv only the version and the bytes that the action knows are taken', () => {
  const [known = ''] = uv.hashes
  const file = (name: string, hash: string | undefined) => ({ file: name, url: address, sha256: hash })
  const good = file(`uv-${uv.version}-py3-none-manylinux_2_17_x86_64.whl`, known)
  expect(
    knownWheels([
      good,
      file('uv-0.0.1-py3-none-manylinux_2_17_x86_64.whl', known),
      file(`uv-${uv.version}-py3-none-win_amd64.whl`, sha256),
      file(`uv-${uv.version}-py3-none-manylinux_2_17_x86_64.whl`, undefined),
      file(`other-${uv.version}-py3-none-any.whl`, known),
    ]),
  ).toEqual([good])
})

test('a huge page is read in no time', () => {
  const began = performance.now()
  const page = `<a href="${'x'.repeat(100)}.whl">`.repeat(100_000) + '<a '.repeat(100_000)
  expect(parseIndexPage(page, 'text/html', address)).toHaveLength(100_000)
  expect(performance.now() - began).toBeLessThan(5_000)
})
