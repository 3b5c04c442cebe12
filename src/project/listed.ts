import path from 'node:path'
import { type Declaration, fileWord, nothingIn } from './declaration.ts'
import { folderOf } from './requirement-files.ts'
import { requirementLines, requirementName } from './requirement-lines.ts'
import { unpinnedIn } from './unpinned.ts'

/** Requirements (PEP 508) that stand in a list of another file, as a requirements file beside it. */
export function listedIn(file: string, listed: readonly string[]): Declaration {
  const text = `${path.posix.basename(file)}.txt`
  if (listed.length === 0) return nothingIn(file)
  return nothingIn(file, {
    names: listed.flatMap((one) => requirementName(one) ?? []),
    count: listed.length,
    unpinned: unpinnedIn(requirementLines(listed.join('\n')), file),
    texts: new Map([[path.posix.join(path.posix.dirname(file), text), `${listed.join('\n')}\n`]]),
    steps: [
      {
        how: 'install',
        folder: folderOf(file),
        words: ['-r', fileWord(text)],
        fixed: false,
        project: undefined,
      },
    ],
  })
}
