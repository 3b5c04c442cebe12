import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, tinyApp } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** A project that cannot run as it is, on any server like this one, and what its owner has to be told first. */
interface Hopeless {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
  readonly phase: string
  readonly cause: readonly RegExp[]
  readonly cure: RegExp
}

const hopeless: readonly Hopeless[] = [
  {
    what: 'a pin that builds on no Python there is today',
    files: { 'app.py': tinyApp, 'requirements.txt': 'flask\nMarkupSafe==1.0\n' },
    phase: 'dependencies',
    cause: [/markupsafe==1\.0/i, /could not be built/],
    cure: /requirements\.txt/,
  },
  {
    what: "a Flask that imports what today's Werkzeug no longer has",
    files: { 'app.py': tinyApp, 'requirements.txt': 'flask==2.1.3\nwerkzeug==3.1.3\n' },
    phase: 'configure',
    cause: [/ImportError: cannot import name 'url_quote' from 'werkzeug\.urls'/],
    cure: /Pin `werkzeug` in requirements\.txt/,
  },
  {
    what: 'pins that exclude each other',
    files: { 'app.py': tinyApp, 'requirements.txt': 'flask==3.0.0\nwerkzeug==2.0.0\n' },
    phase: 'dependencies',
    cause: [/exclude each other/],
    cure: /requirements\.txt/,
  },
  {
    what: 'assets that nobody built',
    files: {
      'app.py': `import json, os\n${tinyApp}\nwith open(os.path.join(app.static_folder, "dist", "manifest.json")) as file:\n    manifest = json.load(file)\n`,
      'requirements.txt': 'flask\n',
      'package.json': '{"scripts": {"build": "vite build"}}',
    },
    phase: 'health',
    cause: [/static\/dist\/manifest\.json/, /app\.py, line 11/],
    cure: /`include`/,
  },
  {
    what: 'a page made of a template that nobody built',
    files: {
      'app.py': tinyApp
        .replace('import Flask', 'import Flask, render_template')
        .replace('return "version 1"', 'return render_template("dist/index.html")'),
      'requirements.txt': 'flask\n',
    },
    phase: 'health',
    cause: [/TemplateNotFound: dist\/index\.html/],
    cure: /`include`/,
  },
]

describe.skipIf(!able.ok)(
  `a project that cannot run fails before the cutover, and is told why${able.ok ? '' : ` (skipped: ${able.why})`}`,
  () => {
    let server: Server
    const project = checkout({ 'app.py': tinyApp, 'requirements.txt': 'flask\n' })
    beforeAll(async () => {
      server = await boot({ suite: 'bookworm' })
      await runs(server, project.folder).good()
    })
    afterAll(async () => server.stop())

    test.each(hopeless)('$what', async ({ files, phase, cause, cure }) => {
      project.commit(files)
      const { outputs, report } = await runs(server, project.folder).bad()
      expect(outputs).toMatchObject({ result: 'failed', 'failed-phase': phase })
      for (const one of cause) expect(report.error?.cause).toMatch(one)
      expect(report.error?.cure).toMatch(cure)
      expect((await visit(server)).body).toBe('version 1')
    })
  },
)
