import type { Explanation } from '../errors.ts'

/** Why there is no Python for the project. */
export type NoPython =
  /** Neither the distribution nor uv has one. */
  | 'absent'
  /** uv would have one, and `python-download` forbids it. */
  | 'forbidden'
  /** uv would have one, and it could not be fetched. */
  | 'unreachable'

/**
 * Tells that no Python fits, in the plan and after a try.
 * @param has what the server has, e.g. `3.11`; '' where it has none
 * @param wanted what has to hold, e.g. `requires-python >=3.14 in pyproject.toml`
 */
export function explainNoPython(why: NoPython, has: string, wanted: string): Explanation {
  const server = has === '' ? 'the server has no Python of its own' : `the server's own is ${has}`
  const need = `The app needs another Python: ${wanted}, but ${server}, and its distribution has none that fits`
  const otherwise = `use a server with a newer distribution, correct what the message names, or set \`python\` (\`3\` is the server's own)`
  switch (why) {
    case 'absent':
      return { cause: `${need}.`, cure: `${otherwise.replace('use', 'Use')}.`, input: 'python' }
    case 'forbidden':
      return {
        cause: `${need}; \`python-download\` forbids to download one.`,
        cure: `Set \`python-download\` to \`true\`, ${otherwise}.`,
        input: 'python-download',
      }
    case 'unreachable':
      return {
        cause: `${need}; to download one failed.`,
        cure: `Let the server reach github.com, from whose releases (astral-sh/python-build-standalone) uv fetches Pythons; else ${otherwise}.`,
        input: 'python',
      }
  }
}
