import { renderProgram } from '../../src/apply/program.ts'
import { programFiles } from '../../src/apply/program-files.ts'
import type { Inputs } from '../../src/inputs.ts'
import type { Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import type { ProbeSettings } from '../../src/plan/probe.ts'
import { parseApp } from '../../src/project/app-expression.ts'
import type { AppTarget } from '../../src/project/project.ts'
import { findPython } from '../../src/project/python.ts'
import { findRequirements } from '../../src/project/requirements.ts'
import { facts, readyLines, wish } from '../plan/sample.ts'
import { tree } from '../project/trees.ts'
import type { Language } from './reach.ts'

/** Facts of a server where every package is to be installed, so that their names are in the program. */
const server = facts(readyLines)

/** The plan of a deploy with these inputs, for a project that has whatever they name. */
export function planFor(inputs: Inputs): Plan {
  const plain = wish({
    project: {
      name: inputs.app.name ?? 'hello',
      target: targetOf(inputs.app.app),
      static: inputs.site.static,
    },
  })
  const declared = (names: readonly string[]) =>
    ['any', ...names].map((one) => `${JSON.stringify(one)} = ["flask"]`).join('\n')
  const { requirements: file = 'requirements.txt', extras, groups } = inputs.app
  const project = tree({
    [file]: 'flask',
    'pyproject.toml': `[project]
name = "shop"
dependencies = ["flask"]
[project.optional-dependencies]
${declared(extras)}
[dependency-groups]
${declared(groups)}`,
  })
  const { python } = findPython(tree({}), plain.project.requirements, inputs.app.python)
  const requirements = {
    ...findRequirements(project, { requirements: 'pyproject.toml', extras, groups }, undefined),
    file,
  }
  return makePlan(server, { ...plain, inputs, project: { ...plain.project, requirements, python } })
}

function targetOf(text: string | undefined): AppTarget {
  const parsed = parseApp(text ?? 'app:app')
  if (typeof parsed === 'string') throw new Error('the input has judged it')
  const { module, attribute = 'app', factory, expression = attribute } = parsed
  return { module, attribute, factory, expression, path: [''], reason: '' }
}

/** All that is made from inputs for the server, by the language of its reader. */
export function rendered(inputs: Inputs): Readonly<Record<Exclude<Language, 'Markdown'>, string>> {
  const plan = planFor(inputs)
  const settings = {
    name: inputs.app.name ?? 'hello',
    run: 'abc',
    holder: 'x',
    lockTimeoutSeconds: inputs.behaviour.lockTimeoutMs / 1000,
    sentWaitSeconds: 90,
  }
  const files = programFiles(plan)
  const probe: ProbeSettings = JSON.parse(files.get('probe.json') ?? '')
  const written = (which: RegExp) =>
    plan.operations.flatMap((one) =>
      one.kind === 'write-file' && which.test(one.what) ? [one.path, one.content] : [],
    )
  return {
    sh: text(renderProgram(plan, settings), files.get('steps.sh')),
    unit: text(
      ...written(/unit$/),
      ...plan.operations.flatMap((one) => {
        if (one.kind === 'persist') return [one.path, one.target]
        if (one.kind === 'postgresql') return one.properties
        if (one.kind === 'redis') return [one.unitFile, one.content]
        if (one.kind === 'environment') return [...one.properties]
        return one.kind === 'release-command' || one.kind === 'probe' ? one.properties : []
      }),
    ),
    'env file': text(
      ...written(/^env file$/).slice(1),
      plan.buildEnv,
      ...probe.candidates.flatMap((one) => [one.environment, one.siteFirst]),
    ),
    nginx: text(
      ...plan.operations.flatMap((one) => {
        if (one.kind === 'publish') return [one.url]
        return one.kind === 'nginx' || one.kind === 'secure' ? [one.site, one.catchAll, one.tlsCatchAll] : []
      }),
    ),
    Python: text(...written(/gunicorn/), ...probe.candidates.map((one) => one.entry)),
    JSON: text(
      files.get('check.json'),
      files.get('secured.json'),
      JSON.stringify({ ...probe, candidates: probe.candidates.map((one) => one.name) }),
    ),
    apt: text(...plan.operations.flatMap((one) => (one.kind === 'install-packages' ? one.names : []))),
    certbot: text(
      ...plan.operations.flatMap((one) => {
        if (one.kind !== 'request-certificate') return []
        const { lineage, authority, names, email } = one.request
        return [lineage, authority, ...names, email]
      }),
    ),
  }
}

function text(...parts: readonly (string | undefined)[]): string {
  return JSON.stringify(parts)
}
