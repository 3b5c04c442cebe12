import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { hasPython } from '../config/sample.ts'

const program = join(import.meta.dirname, '..', '..', 'remote', 'publish.py')

/** Publishes folders of a release on this machine; STATE in a link stands for the folder that the app may write. */
function publish(files: Readonly<Record<string, string>>, wished: readonly (readonly [string, string])[]) {
  const place = mkdtempSync(join(tmpdir(), 'publish-'))
  const root = join(place, 'release')
  const state = join(place, 'state')
  mkdirSync(join(root, '.public'), { recursive: true })
  mkdirSync(join(state, 'uploads'), { recursive: true })
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3).replace('STATE', state), file)
    else writeFileSync(file, content, { mode: 0o640 })
  }
  writeFileSync(
    join(place, 'adopted'),
    wished.map(([url, folder]) => `publish\t${url}\t${folder}\n`).join(''),
  )
  const done = spawnSync('python3', ['-I', '-B', program, root, join(place, 'adopted'), state], {
    encoding: 'utf8',
  })
  const found = execFileSync('find', ['.public', '-mindepth', '1', '-printf', '%P %l\n'], {
    cwd: root,
    encoding: 'utf8',
  })
  const read = (path: string) => readFileSync(join(root, path))
  return {
    said: done.stdout.split('\n').filter((line) => line !== ''),
    error: done.stderr,
    tree: found
      .replaceAll(root, 'ROOT')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .toSorted(),
    read,
    mode: (path: string) => statSync(join(root, path)).mode & 0o777,
    close: () => rmSync(place, { recursive: true }),
  }
}

const text = 'body { color: red }\n'.repeat(100)

describe.runIf(hasPython)('what nginx serves', () => {
  test('is one link for a folder, whose files everybody may read then', () => {
    const made = publish({ 'shop/static/a.css': text, 'shop/secret.txt': 'x' }, [['/static', 'shop/static']])
    expect(made.tree).toEqual(['static ROOT/shop/static'])
    expect([made.mode('shop/static/a.css'), made.mode('shop/secret.txt')]).toEqual([0o644, 0o640])
    made.close()
  })

  test('is a tree without what the app may write', () => {
    const files = {
      'static/a.css': 'a',
      'static/up': '-> STATE/uploads',
      'static/deep/b.css': 'b',
      'static/.hidden': 'x',
    }
    const made = publish(files, [['/files/static', 'static']])
    expect(made.tree).toEqual([
      'files',
      'files/static',
      'files/static/a.css ROOT/static/a.css',
      'files/static/deep ROOT/static/deep',
    ])
    made.close()
  })

  test('is each entry by itself for the root', () => {
    const made = publish({ 'public/robots.txt': 'r', 'public/img/a.txt': 'a' }, [['/', 'public']])
    expect(made.tree).toEqual(['img ROOT/public/img', 'robots.txt ROOT/public/robots.txt'])
    made.close()
  })

  test.each([
    ['a key that a command of the project made', { 'static/made.pem': 'x' }, 'made.pem lies in it'],
    ['a link that leads out', { 'static/out': '-> /etc' }, 'a link leads out of it'],
  ])('is nothing with %s', (_, more, why) => {
    const made = publish({ 'static/a.css': 'a', ...more }, [['/static', 'static']])
    expect(made.tree).toEqual([])
    expect(made.said).toEqual([`found\tstatic-by-app\t/static: ${why}`])
    made.close()
  })

  test('is not written through a link that is there already', () => {
    const made = publish({ 'static/a.css': 'a', 'admin/b.css': 'b' }, [
      ['/static', 'static'],
      ['/static/admin', 'admin'],
    ])
    expect(made.tree).toEqual(['static ROOT/static'])
    expect(made.said).toEqual(['found\tstatic-by-app\t/static/admin: something else is there'])
    made.close()
  })

  test('has packed copies of text, the same bytes each time, and never over the project’s own', () => {
    const files = {
      'static/a.css': text,
      'static/b.js': text,
      'static/b.js.gz': 'own',
      'static/c.png': text,
      'static/d.css': 'small',
    }
    const one = publish(files, [['/static', 'static']])
    const two = publish(files, [['/static', 'static']])
    const packed = one.read('static/a.css.gz')
    expect(gunzipSync(packed).toString()).toBe(text)
    expect(two.read('static/a.css.gz').equals(packed)).toBe(true)
    expect(one.mode('static/a.css.gz')).toBe(0o644)
    expect(one.read('static/b.js.gz').toString()).toBe('own')
    for (const path of ['static/c.png.gz', 'static/d.css.gz']) expect(() => one.read(path)).toThrow('ENOENT')
    one.close()
    two.close()
  })
})
