import type { Explanation } from '../errors.ts'
import { full, portTaken, type SaidRow, said } from './diagnosis-tools.ts'
import type { Failure, Situation } from './failure.ts'

/*
 * Why Debian packages could not be installed. What files and statuses tell has a code of its own (remote/apt.sh); the
 * rows below are for what only apt's words say.
 */

const packages: readonly SaidRow[] = [
  {
    fits: /Unable to locate package ([^\s]+)|Package '?([^'\s]+)'? has no installation candidate/,
    explain: ([, unknown, known]) => ({
      cause: `The server's distribution has no package \`${unknown ?? known}\`.`,
      cure: 'Correct the name in `packages`; https://packages.ubuntu.com lists those of each version.',
      input: 'packages',
    }),
  },
  {
    fits: /Could not get lock (\S+?)\.?(?: It is held by process (\d+) \(([^)]+)\))?$|Unable to (?:acquire|lock)/,
    explain: ([, , pid, holder]) => ({
      cause: `Another program${holder === undefined ? '' : ` (${holder}, process ${pid})`} was installing packages on the server all the time.`,
      cure: 'Run the job again when it is done; if it hangs, look at it on the server (`ps`), and do not delete lock files.',
      input: 'host',
    }),
  },
  {
    fits: /Temporary failure resolving '([^']+)'|Could not resolve '([^']+)'|Could not connect to (\S+)|Cannot initiate the connection to (\S+)/,
    explain: ([, ...hosts]) => ({
      cause: `The server could not reach its package source ${hosts.find((one) => one !== undefined) ?? ''}.`,
      cure: 'Check that the server may open connections to the internet (DNS, firewall, proxy), then run the job again.',
      input: 'host',
    }),
  },
  {
    fits: /(?:You don't have enough free space in (\S+)|No space left on device)/,
    explain: () => full('while system packages were installed'),
  },
  {
    fits: /Release file for (\S+) is (not valid yet|expired)/,
    explain: ([, , how = '']) => ({
      cause: `The list of packages is ${how === 'expired' ? 'expired' : 'of a later day than the server believes it is'}.`,
      cure: "Set the server's clock (`timedatectl`), or, for a release that is no longer supported, its package sources.",
      input: 'host',
    }),
  },
  {
    fits: /(?:dpkg was interrupted|Unmet dependencies|held broken packages|unmet dependencies)/,
    explain: () => ({
      cause: "The server's package system was broken before, and could not be repaired by itself.",
      cure: 'Log in and run `dpkg --configure -a` and `apt-get -f install`, then run the job again.',
      input: 'host',
    }),
  },
  {
    fits: /Address already in use|bind\(\) to \S+:(80|443) failed/,
    explain: () => portTaken(),
  },
]

const starting = packages.filter(
  ({ fits }) => fits.test('Address already in use') || fits.test('No space left on device'),
)

/** What a failed apt-get said. The failure's detail is the names of the packages. */
function explainPackages(failure: Failure, situation: Situation): Explanation {
  return (
    said(packages, failure, situation) ?? {
      cause: `The system packages ${failure.detail} could not be installed.`,
      cure: 'What apt-get said is in the log; repair it on the server, or correct `packages`.',
      input: 'packages',
    }
  )
}

/** What `remote/apt.sh` found out about a failure: code -> explanation. */
export const packageRows: Readonly<
  Record<string, (failure: Failure, situation: Situation) => Explanation & { readonly code?: string }>
> = {
  packages: explainPackages,
  'packages-locked': ({ detail }) => {
    const [, seconds = '', holder = 'another program', pid] =
      /^([0-9]{1,6}) ([\w.+-]* ?\(process ([0-9]{1,10})\))$/.exec(detail) ??
      /^([0-9]{1,6})/.exec(detail) ??
      []
    return {
      cause: `apt on the server was in use for all of the ${seconds} s that this job waited: ${holder.trim()} held its lock.`,
      cure: `Run the job again when that is done; if it hangs, look at it on the server (\`ps${pid === undefined ? '' : ` -fp ${pid}`}\`), and do not delete lock files.`,
      input: 'host',
    }
  },
  'packages-sources': ({ detail: file, lines }) => {
    const [, line] =
      /(?:[Mm]alformed|[Uu]nparsable).*?(?:entry|line|stanza) ([0-9]{1,6})/.exec(
        lines.findLast((one) => one.includes(file)) ?? '',
      ) ?? []
    return {
      cause: `apt on the server cannot read its list of package sources ${file}${line === undefined ? '' : ` (entry ${line})`}, so it installs nothing.`,
      cure: `Correct or remove ${file} on the server until \`apt-get update\` is content, then run the job again.`,
      input: 'host',
    }
  },
  'packages-removals': ({ detail }) => {
    const [why, ...names] = detail.split(' ')
    return why === 'fix'
      ? {
          cause: `Packages on the server lack others that they depend on, and apt could mend that only by removing ${listed(names)}, which is never done here.`,
          cure: 'Log in, run `apt-get -f install`, look at what it would do, and run the job again.',
          input: 'host',
        }
      : {
          cause: `The system packages could be installed only if ${listed(names)} were removed, which is never done here.`,
          cure: 'Choose others in `packages` that go together with what is there, or install them on the server by hand.',
          input: 'packages',
        }
  },
  'packages-broken': (failure, situation) => {
    // nginx and others do not configure where they cannot start.
    const known = said(starting, failure, situation)
    if (known !== undefined) return { ...known, code: 'packages' }
    const [state, ...names] = failure.detail.split(' ')
    return state === 'reinstall'
      ? {
          cause: `dpkg on the server was cut while it installed ${listed(names)}, and apt cannot get ${names.length === 1 ? 'it' : 'them'} anew.`,
          cure: `Log in and run \`apt-get install --reinstall ${names.join(' ')}\`, or \`dpkg --remove --force-remove-reinstreq\` with what nobody needs; then run the job again.`,
          input: 'host',
        }
      : {
          cause: `${listed(names)} on the server cannot be configured by dpkg: what its own script or dpkg says is in the log.`,
          cure: `Log in, run \`dpkg --configure -a\` and repair what it complains of, or remove the package (\`apt-get purge ${names.join(' ')}\`) where nobody needs it; then run the job again.`,
          input: 'host',
        }
  },
}

/** What the server has to say of packages that apt left half-way, though all that the app needs is there. */
export function unfinishedPackages(detail: string): string {
  const names = detail.split(' ').slice(1)
  return `${listed(names)} on the server ${names.length === 1 ? 'is' : 'are'} installed only half, and dpkg cannot mend that; all that this app needs is there, so the deploy went on. Log in and run \`dpkg --configure -a\`; what it complains of is in the log.`
}

function listed(names: readonly string[]): string {
  const few = names.slice(0, 10).map((name) => `\`${name}\``)
  return few.length === 0 ? 'a package' : few.join(', ')
}
