import type { Unpinned } from './project.ts'
import type { Requirement, RequirementLines } from './requirement-lines.ts'

/** What a requirements file lets in that no hash stands for; of constraints, which install nothing, see the caller. */
export function unpinnedIn(lines: RequirementLines, file: string): readonly Unpinned[] {
  return [
    ...lines.addresses.map(
      (address): Unpinned => ({ what: 'package', name: `-r ${harmless(address)}`, file }),
    ),
    ...lines.requirements
      .filter(({ hashed }) => !hashed)
      .map((one): Unpinned => ({ what: fixed(one) ? 'dependencies' : 'package', name: nameOf(one), file })),
  ]
}

/** It lies in the bundle, or git's commit names its bytes. */
function fixed({ local, address }: Requirement): boolean {
  if (local !== undefined) return true
  return address !== undefined && /^git\+[^#]*@[0-9a-f]{40}(?:#|$)/.test(address)
}

function nameOf({ name, local, address, text }: Requirement): string {
  return name ?? local ?? harmless(address ?? text)
}

/** An address without user, password, query and fragment: any of them may be a secret. */
function harmless(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)(?:[^/]*@)?([^?#]*).*$/i, '$1$2')
}
