import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { boot } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { isSuite } from '../server/suites.ts'
import { visit } from './look.ts'
import { checkoutOf, tinyApp } from './projects.ts'
import { runs } from './runs.ts'

/** Which distribution's server is booted: CI names Ubuntu's here, one after the other; anywhere any other may be named. */
const suite = process.env['FLASK_DEPLOY_TEST_SUITE'] ?? ''
const able = canBoot()
const skipped = suite === '' ? 'FLASK_DEPLOY_TEST_SUITE names none' : able.ok ? '' : able.why

describe.skipIf(skipped !== '')(`a bare server of suite ${suite || `(skipped: ${skipped})`}`, () => {
  test('takes both examples side by side, once more without a change, and one with a change', async () => {
    if (!isSuite(suite)) throw new Error(`There is no suite ${suite}.`)
    const server = await boot({ suite, packages: 'bare' })
    try {
      const helloFiles = example('hello')
      const hello = runs(server, helloFiles.folder)
      const blog = runs(
        server,
        example('blog').folder,
        {
          domain: 'blog.example',
          // Nobody knows the name: the runner asks the server's address for it.
          env: "SECRET_KEY='of the blog'\nAUTHOR_PASSWORD='of the author'",
          'release-command': 'flask db upgrade',
        },
        { repository: 'someone/blog', repositoryId: '2' },
      )

      expect((await hello.good()).outputs.result).toBe('deployed')
      expect((await blog.good()).outputs.result).toBe('deployed')
      expect((await visit(server)).body).toContain('Hello, World!')
      expect((await visit(server, '/', 'blog.example')).body).toContain('Nothing is written yet.')
      expect((await visit(server, '/static/style.css', 'blog.example')).status).toBe(200)

      expect((await hello.good()).outputs.result).toBe('unchanged')
      expect((await blog.good()).outputs.result).toBe('unchanged')

      helloFiles.commit({ 'app.py': tinyApp })
      expect((await hello.good()).outputs.result).toBe('deployed')
      expect((await visit(server)).body).toBe('version 1')
      expect((await visit(server, '/', 'blog.example')).body).toContain('Nothing is written yet.')
      expect(await server.must('systemctl --failed --plain --no-legend')).toBe('')
    } finally {
      await server.stop()
    }
  }, 600_000)
})

function example(name: string) {
  return checkoutOf(join(import.meta.dirname, '..', '..', 'examples', name))
}
