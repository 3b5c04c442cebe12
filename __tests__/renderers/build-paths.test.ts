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
      const words = [uv, 'python', root, '-odd/requirements.txt', 'no', 'no', 'pins', '-odd/lib']
      execFileSync('sh', ['remote/build.sh', ...words], { env: { ...process.env, CACHE_DIRECTORY: folder } })
      const said = readFileSync(join(folder, 'said'), 'utf8')
      expect(said).toContain(`${folder}/project/-odd\nlib\n`)
      expect(said).toContain(`-r ${root}/-odd/requirements.txt`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
