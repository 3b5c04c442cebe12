/** How far a connection had come when it failed. */
export type ConnectStage =
  /** Looking up the name and opening the TCP connection. */
  | 'tcp'
  /** Waiting for the line with which an SSH server greets. */
  | 'greeting'
  /** Agreeing on algorithms and exchanging keys. */
  | 'handshake'
  | 'authentication'

/** Everything that is known about a failed attempt to connect; no secret. */
export interface ConnectFailure {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly stage: ConnectStage
  /** ssh2's word for where it failed, e.g. `client-timeout`. */
  readonly level: string | undefined
  /** Node's error code or SSH's disconnect reason. */
  readonly code: string | number | undefined
  readonly message: string
  /** What the machine said before it said SSH, at most 512 bytes as latin1. */
  readonly firstBytes: string
  /** e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`; '' where it never came. */
  readonly serverIdent: string
  /** What it said while the user was being proven, at most 4096 characters; PAM speaks this way. */
  readonly banner: string
  /** The types of host key that were asked for. */
  readonly hostKeyTypes: readonly string[]
  readonly authentication: AuthenticationFacts
}

/** What was offered and what the server said to it. */
export interface AuthenticationFacts {
  /** The key that was given; undefined where none was. */
  readonly key:
    | { readonly type: string; readonly fingerprint: string; readonly publicLine: string }
    | undefined
  readonly passwordGiven: boolean
  /** The methods that were tried, in order. */
  readonly tried: readonly string[]
  /** The methods that the server named after a refusal; undefined where it named none. */
  readonly allowed: readonly string[] | undefined
  /** It took one method and wants another one as well, whatever it said to the next. */
  readonly partial: boolean
}
