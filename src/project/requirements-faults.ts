import path from 'node:path'
import { DeployError } from '../errors.ts'
import type { Declaration, Wanted } from './declaration.ts'
import { commonPlaces } from './requirement-places.ts'
import type { Tree } from './tree.ts'

/** Nothing is declared anywhere, or the file of the input is not there. */
export function missing(tree: Tree, input: string | undefined): DeployError {
  const unsent =
    input === undefined
      ? commonPlaces.find((own) => tree.isUnsent(own))
      : tree.isUnsent(input)
        ? input
        : undefined
  if (unsent !== undefined) {
    return new DeployError('requirements-missing', {
      cause: `${unsent} exists but is not sent: git does not track it, or \`exclude\` names it.`,
      cure: 'Commit it, or name it in `include`.',
      input: 'include',
      file: unsent,
    })
  }
  if (input === undefined) {
    return new DeployError('requirements-missing', {
      cause:
        'No dependencies are declared: there is no requirements.txt, no lock, no pyproject.toml, setup.py or Pipfile that lists any.',
      cure: 'Add a requirements.txt that lists Flask, or set `requirements` to the file that lists the dependencies.',
      input: 'requirements',
    })
  }
  return new DeployError('requirements-missing', {
    cause: `The file ${input}, named in \`requirements\`, does not exist.`,
    cure: 'Set `requirements` to a file of the project, relative to `source`.',
    input: 'requirements',
  })
}

export function nothingDeclared(file: string): DeployError {
  const pyproject = path.posix.basename(file) === 'pyproject.toml'
  return new DeployError('requirements-empty', {
    cause: pyproject ? `${file} lists no dependencies under [project].` : `${file} lists no dependencies.`,
    cure: 'List Flask and what else the app needs in it, or set `requirements` to the file that does.',
    input: 'requirements',
    file,
  })
}

export function unknownKind(input: string): DeployError {
  return new DeployError('requirements-invalid', {
    cause: `${input}, named in \`requirements\`, is no file that dependencies are declared in.`,
    cure: 'Set `requirements` to a requirements file, a lock (uv.lock, pylock.toml, poetry.lock, Pipfile.lock), pyproject.toml, setup.py or Pipfile.',
    input: 'requirements',
    file: input,
  })
}

/** An extra or a group that nothing declares; undefined where all are known, or only a build would tell. */
export function unknownNames(
  file: string,
  { extras, groups }: Declaration,
  wanted: Wanted,
): DeployError | undefined {
  const faults = [
    { input: 'extras', kind: 'extra', asked: wanted.extras, known: extras },
    { input: 'groups', kind: 'group', asked: wanted.groups, known: groups },
  ].flatMap(({ input, kind, asked, known }) => {
    if (known === undefined) return []
    const names = [...known].toSorted()
    return [...asked]
      .filter((one) => !known.has(one))
      .map((one) => ({
        cause: `There is no ${kind} \`${one}\` in ${file}${names.length === 0 ? `, which declares no ${kind}s` : `: it has ${names.join(', ')}`}.`,
        cure:
          names.length === 0
            ? `Take it out of \`${input}\`, or declare it in ${file}.`
            : `Correct \`${input}\`, or declare it in ${file}.`,
        input,
        file,
      }))
  })
  return faults.length === 0 ? undefined : new DeployError('extras-unknown', faults)
}
