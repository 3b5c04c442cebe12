import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { boot } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import type { Suite } from '../server/suites.ts'
import { aptTakesNames } from './apt.ts'
import { httpReadsCheckSettings } from './check.ts'
import {
  systemdReadsEnvFiles,
  systemdStartsNothingWithNoncharacters,
  systemdStartsTheLongestEnvironment,
} from './env-file.ts'
import { nginxReadsDomains, nginxReadsNumbers, nginxReadsStaticPaths } from './nginx.ts'
import type { Stage } from './on-server.ts'
import { pathsArriveOnTheDisk } from './paths.ts'
import { pythonReadsFactories, pythonReadsTexts } from './python.ts'
import { shellReadsPlans, shellReadsWords } from './shell.ts'
import { again } from './trial.ts'
import {
  transientUnitsHoldCommands,
  unitsHandOverSecretFiles,
  unitsHoldCommands,
  unitsHoldVariables,
} from './units.ts'

/** Every renderer before its real parser on one server. */
export function renderersOn(suite: Suite): void {
  const able = canBoot()
  describe.skipIf(!able.ok)(`on ${suite}${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
    let stage: Stage
    beforeAll(async () => {
      const server = await boot({ suite, packages: 'ready' })
      const systemd = Number(/\d+/.exec(await server.must('systemctl --version'))?.[0])
      stage = { server, suite, systemd, file: `__tests__/renderers/${suite}.e2e.test.ts` }
    })
    afterAll(() => stage?.server.stop())
    beforeEach(({ task, onTestFailed }) =>
      onTestFailed(() => console.log(again({ where: suite, renderer: task.name, file: stage.file }))),
    )

    test.each(['dash', 'bash'] as const)('%s reads every quoted word', (shell) =>
      shellReadsWords(stage, shell),
    )
    test('sh reads every word of a plan', () => shellReadsPlans(stage))
    test('systemd reads the env file', () => systemdReadsEnvFiles(stage))
    test('the longest environment starts', () => systemdStartsTheLongestEnvironment(stage))
    test('no unit starts with a noncharacter', () => systemdStartsNothingWithNoncharacters(stage))
    test('systemd reads every word of a command', () => unitsHoldCommands(stage))
    test('systemd reads every variable in a unit', () => unitsHoldVariables(stage))
    test('systemd-run reads every word of a command', () => transientUnitsHoldCommands(stage))
    test('systemd hands over every secret file', () => unitsHandOverSecretFiles(stage))
    test('apt takes names as names', () => aptTakesNames(stage))
    test('the disk has every path', () => pathsArriveOnTheDisk(stage))
    test('nginx reads every domain', () => nginxReadsDomains(stage))
    test('nginx reads sizes and times', () => nginxReadsNumbers(stage))
    test('nginx reads every static URL', () => nginxReadsStaticPaths(stage))
    test('Python reads every text', () => pythonReadsTexts(stage))
    test('Python reads every factory', () => pythonReadsFactories(stage))
    test('http.py reads check.json', () => httpReadsCheckSettings(stage))
  })
}
