import { releasePaths } from '../config/paths.ts'
import { releaseProperties } from '../config/sandbox.ts'
import type { ReleaseSettings } from '../config/settings.ts'
import { findingApp } from '../config/target-env.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** What is run with each new release: the input's word, else that of the project's own files. */
export function wishedReleaseCommand({ inputs, project }: Wish): string | undefined {
  return inputs.app.releaseCommand ?? project.declared.releaseCommand?.text
}

/** The project's own commands, before the new release starts. */
export function commandOperations(settings: ReleaseSettings, wish: Wish): readonly Operation[] {
  const { inputs } = wish
  const { root } = releasePaths(settings.name, settings.release)
  const commands = [
    ['first-deploy-command', inputs.app.firstDeployCommand],
    ['release-command', wishedReleaseCommand(wish)],
  ] as const
  return commands.flatMap(([kind, command]): readonly Operation[] =>
    command === undefined
      ? []
      : [
          {
            phase: 'release-command',
            kind,
            command,
            seconds: inputs.behaviour.commandTimeoutSeconds,
            properties: [
              ...releaseProperties({
                ...settings,
                ...findingApp(settings),
              }),
              ['WorkingDirectory', root] as const,
              // remote/commands.sh lends it the release's files: it may compile and pack what the release is to have.
              ['BindPaths', root] as const,
            ].map(([key, value]) => `${key}=${value}`),
          },
        ],
  )
}
