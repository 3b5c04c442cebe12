import { describe, expect, test } from 'vitest'
import { authorizationFor, indexesOf } from '../../src/wheels/indexes.ts'

const of = (env: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) =>
  indexesOf(new Map(Object.entries(env)), environment)
const hrefs = (...given: Parameters<typeof of>) => of(...given).addresses.map(({ href }) => href)

test('PyPI is asked unless another index is named', () => {
  expect(hrefs({})).toEqual(['https://pypi.org/simple'])
})

test.each(['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'])('%s names it', (name) => {
  expect(hrefs({ [name]: 'https://a.example/simple' })).toEqual(['https://a.example/simple'])
  expect(hrefs({}, { [name]: 'https://a.example/simple' })).toEqual(['https://a.example/simple'])
})

test('`env` goes before the variables of the runner', () => {
  const found = of({ UV_DEFAULT_INDEX: 'https://a.example/' }, { UV_DEFAULT_INDEX: 'https://b.example/' })
  expect(found.addresses.map(({ host }) => host)).toEqual(['a.example'])
  expect(found.variables['UV_DEFAULT_INDEX']).toBe('https://a.example/')
})

test('further indexes are asked first, as uv does', () => {
  const hosts = of({ UV_INDEX: 'own=https://a.example/s https://b.example/s' }).addresses.map(
    ({ host }) => host,
  )
  expect(hosts).toEqual(['a.example', 'b.example', 'pypi.org'])
})

test("uv is told what pip's variables say", () => {
  const { variables } = of({ PIP_INDEX_URL: 'https://a.example/', PIP_EXTRA_INDEX_URL: 'https://b.example/' })
  expect(variables).toMatchObject({
    UV_DEFAULT_INDEX: 'https://a.example/',
    UV_EXTRA_INDEX_URL: 'https://b.example/',
  })
  expect(variables).not.toHaveProperty('PIP_INDEX_URL')
})

test('nothing but indexes, proxies and certificates gets to uv', () => {
  const { variables } = of(
    {
      SECRET_KEY: 'x',
      UV_PYTHON: '/bin/evil',
      UV_CACHE_DIR: '/x',
      UV_NO_BUILD: '0',
      UV_INDEX_OWN_PASSWORD: 'p',
    },
    {
      PATH: '/bin',
      HOME: '/root',
      VIRTUAL_ENV: '/x',
      PYTHONPATH: '/x',
      'INPUT_SSH-KEY': 'k',
      https_proxy: 'http://proxy.example',
      UV_CONFIG_FILE: '/x',
      LD_PRELOAD: '/x',
    },
  )
  expect(variables).toEqual({
    PATH: '/bin',
    HOME: '/root',
    https_proxy: 'http://proxy.example',
    UV_INDEX_OWN_PASSWORD: 'p',
  })
})

describe("an index's user", () => {
  test('is sent to that index and to no other', () => {
    const found = of({ UV_DEFAULT_INDEX: 'https://me:p%40ss@a.example:8443/simple' })
    expect(found.addresses.map(({ href }) => href)).toEqual(['https://a.example:8443/simple'])
    const header = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(authorizationFor(new URL('https://a.example:8443/files/a.whl'), found)).toBe(header)
    for (const other of ['https://a.example/a.whl', 'http://a.example:8443/a.whl', 'https://b.example:8443/'])
      expect(authorizationFor(new URL(other), found)).toBeUndefined()
  })

  test('may stand in variables of its own, by the name of the index', () => {
    const found = of({
      UV_INDEX: 'my-own=https://a.example/s',
      UV_INDEX_MY_OWN_USERNAME: 'me',
      UV_INDEX_MY_OWN_PASSWORD: 'pass',
    })
    const header = `Basic ${Buffer.from('me:pass').toString('base64')}`
    expect(authorizationFor(new URL('https://a.example/a.whl'), found)).toBe(header)
  })
})

test.each(['ftp://a.example', 'not an address', '/a/folder'])('%s is no index to ask', (index) => {
  expect(hrefs({ UV_INDEX: index })).toEqual(['https://pypi.org/simple'])
})

test("pip's certificates are trusted where none are named otherwise", () => {
  expect(of({ PIP_CERT: '/a.pem' })).toMatchObject({
    certificates: '/a.pem',
    variables: { SSL_CERT_FILE: '/a.pem' },
  })
  expect(of({ PIP_CERT: '/a.pem' }, { SSL_CERT_FILE: '/b.pem' }).certificates).toBe('/b.pem')
})
