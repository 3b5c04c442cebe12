/** The user's repository, as far as it can be known by reading it. */
export interface Project {
  /** NAME of everything on the server (`web-NAME`). */
  readonly name: string
  readonly repository: Repository
  /** Full commit hash: what git has checked out, else the workflow's; undefined where neither is known. */
  readonly commit: string | undefined
  /** Sub-folder of the repository that holds the app and is the bundle's root, '' for the repository's own root. */
  readonly source: string
  readonly target: AppTarget
  readonly requirements: Requirements
  /** Folders that nginx serves: those that exist in the bundle. */
  readonly static: readonly StaticFolder[]
  readonly bundle: Bundle
  /** What the user should know though nothing failed. */
  readonly warnings: readonly Warning[]
}

/** Who owns the app on the server. The numeric ID outlives a rename. */
export interface Repository {
  readonly id: string
  readonly fullName: string
}

/** The WSGI object, as `module:attribute` or `module:factory()`. */
export interface AppTarget {
  /** Dotted, importable with `path` on sys.path. */
  readonly module: string
  /** An identifier; dotted where the user named it so (`app.server`). */
  readonly attribute: string
  /** A factory is called without arguments, or with the literal arguments given in `call`. */
  readonly factory: boolean
  /** The Python expression after the module, e.g. `app` or `create_app("prod")`. */
  readonly expression: string
  /** Folders for sys.path relative to `source`, in order; '' for `source` itself. */
  readonly path: readonly string[]
  /** How it was found, for log and summary, e.g. "`app` in wsgi.py". */
  readonly reason: string
}

/** Where the dependencies are declared. */
export interface Requirements {
  /** Relative to `source`. */
  readonly file: string
  readonly kind: 'requirements' | 'pyproject'
  /** Every requirement carries a hash, so hash checking is on. */
  readonly hashed: boolean
  readonly listsGunicorn: boolean
  /** SHA-256, hex, over every file that decides the environment (the file and what it includes by -r and -c). */
  readonly sha256: string
  readonly reason: string
  /** Those files, relative to `source`. */
  readonly files?: readonly string[]
  /** Folders and archives of the project that are installed from their path (`-e .`, `./lib`); '' is `source`. */
  readonly local?: readonly string[]
  /** What may be other bytes at the next build; empty where `hashed`. */
  readonly unpinned?: readonly Unpinned[]
}

/** Something to install that no hash stands for, in the order of the files. */
export interface Unpinned {
  /**
   * `package`: whatever the index or the address sends that day, with all that it depends on. `dependencies`: the thing
   * itself is fixed (it lies in the project, or is a commit), what it depends on is not.
   */
  readonly what: 'package' | 'dependencies'
  /** A package's name, else an address or a path; never with a user or password. */
  readonly name: string
  /** The file that lists it, relative to `source`. */
  readonly file: string
}

/** A folder that nginx serves as it is. */
export interface StaticFolder {
  /** Begins with `/`, no trailing slash. */
  readonly url: string
  /** Relative to `source`. */
  readonly folder: string
}

/** The files to send: a gzipped tar in a temporary file, the same bytes for the same content. */
export interface Bundle {
  /** The temporary file on the runner. */
  readonly path: string
  /** Its length in bytes. */
  readonly bytes: number
  /** SHA-256 of the file, hex: what the server verifies. */
  readonly sha256: string
  /** SHA-256 of the tar inside, hex: the same for the same content whatever the compressor. */
  readonly contentSha256: string
  /** Entries, folders not counted. */
  readonly files: number
  /** Bytes of all files before compression. */
  readonly contentBytes: number
}

/** Something to know that stops nothing. */
export interface Warning {
  /** Kebab-case, e.g. `lfs-pointer`. */
  readonly code: string
  readonly text: string
  /** Path in the repository, for an annotation. */
  readonly file?: string
}
