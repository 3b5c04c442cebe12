import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.skipIf(process.platform === 'win32')(
  'a build finds requirements and packages below a folder that looks like an option',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'build-'))
    try {
      const root = join(folder, 'release')
      mkdirSync(join(root, '-odd/lib'), { recursive: true })
      writeFileSync(join(root, '-odd/requirements.txt'), './lib\n')
      writeFileSync(join(root, '-odd/lib/pyproject.toml'), '')
      const uv = join(folder, 'uv')
      writeFileSync(uv, `#!/bin/sh\nprintf '%s\\n' "$PWD" "$(ls)" "$*" >>'${folder}/said'\n`)
      chmodSync(uv, 0o755)
      mkdirSync(join(root, '.deploy/build'), { recursive: true })
      const steps = `copy -odd/requirements.txt\ncopy -odd/lib\nwithin -odd\ninstall_from -r requirements.txt\n`
      writeFileSync(join(root, '.deploy/build/steps.sh'), steps)
      const words = [uv, 'python', root, 'no', 'no']
      execFileSync('sh', ['remote/build.sh', ...words], { env: { ...process.env, CACHE_DIRECTORY: folder } })
      const said = readFileSync(join(folder, 'said'), 'utf8')
      expect(said).toContain(`${folder}/project/-odd\nlib\nrequirements.txt\n`)
      expect(said).toContain('-r requirements.txt')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
