/** What is known of a failure before it is explained: the program's event `fail CODE DETAIL` and what was printed. */
export interface Failure {
  /** E.g. `app-exited`; see the table below. */
  readonly code: string
  /** The rest of the event, '' where there is none: what it means is the code's matter. */
  readonly detail: string
  /** The last lines of the program that failed, or of the app, oldest first. */
  readonly lines: readonly string[]
}

/** What the explanation may name. '' for what is not known. */
export interface Situation {
  /** NAME. */
  readonly name: string
  /** The login on the server. */
  readonly user: string
  /** The release that failed. */
  readonly release: string
  readonly source: string
  /** The app's module, e.g. `wsgi`. */
  readonly module: string
  /** The requirements file, relative to the repository. */
  readonly requirements: string
  /** `python` as set, '' for the server's. */
  readonly python: string
  /** What must hold of it, e.g. `requires-python >=3.12 in pyproject.toml`. */
  readonly pythonWanted: string
  /** The path that the health check asks. */
  readonly healthPath: string
  readonly healthTimeoutSeconds: number
  readonly lockTimeoutSeconds: number
  /** The address that the smoke test asks. */
  readonly smokeUrl: string
  /** ufw is active on the server. */
  readonly ufw: boolean
}
