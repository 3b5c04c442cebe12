/** The user's repository, as far as it can be known by reading it. */
export interface Project {
  /** NAME of everything on the server (`web-NAME`). */
  readonly name: string
  readonly repository: Repository
  /** Full commit hash: what git has checked out, else the workflow's; undefined where neither is known. */
  readonly commit: string | undefined
  /** When it was committed (not authored), in seconds since 1970; undefined where git does not know. */
  readonly committed: number | undefined
  /** Sub-folder of the repository that holds the app and is the bundle's root, '' for the repository's own root. */
  readonly source: string
  /** The likeliest app object. */
  readonly target: AppTarget
  /** Less likely ones, the better first: tried on the server where `target` turns out to be no app. */
  readonly others: readonly AppTarget[]
  readonly declared: Declared
  readonly requirements: Requirements
  readonly python: PythonWish
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

/** What the project's own files (Procfile, a container's entry script) say of how it is run, beside the app object. */
export interface Declared {
  /** Processes beside the web process: name -> command, and where they stand. */
  readonly processes: ReadonlyMap<string, string>
  /** What is to be run with each release before it serves: a `release:` line, or what stands before the server's start. */
  readonly releaseCommand: { readonly text: string; readonly reason: string } | undefined
  /** gunicorn's worker class, e.g. `gevent`. */
  readonly workerClass: string | undefined
}

/** Which Python the project wants, as far as its files tell. */
export interface PythonWish {
  /** Minor versions that are allowed by all that must hold, e.g. `3.11`, `3.12`; oldest first; empty: any. */
  readonly allowed: readonly string[]
  /** What must hold, for messages: `requires-python >=3.11 in pyproject.toml`. */
  readonly reason: string
  /** The minor version that is liked best, e.g. `3.12` of `.python-version`; another of `allowed` will do. */
  readonly preferred: string | undefined
  readonly preferredReason: string
}

/** Where the dependencies are declared. */
export interface Requirements {
  /** Relative to `source`. */
  readonly file: string
  readonly kind: 'uv' | 'pylock' | 'poetry' | 'pipfile' | 'requirements' | 'pyproject' | 'setup'
  /** Files that declare dependencies too and were not used, each with the reason. */
  readonly passedOver: readonly { readonly file: string; readonly why: string }[]
  /** Names of the packages, as far as the files tell (of a lock: all), normalised (PEP 503). */
  readonly names: readonly string[]
  /** The project can be built and installed itself (it has a `[build-system]`, or a setup.py). */
  readonly buildable: boolean
  /** Where, relative to `source`, and under which name; '' where it is not known. */
  readonly built: { readonly folder: string; readonly name: string }
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
  /** How they are installed, in order. */
  readonly steps: readonly InstallStep[]
  /** Texts for the build alone, made of the project's files: path relative to `source` -> text. */
  readonly texts: ReadonlyMap<string, string>
  /** Its plugins (entry points that are no commands) are found only where it is installed, so it is built at once. */
  readonly plugins: boolean
}

/** One call of uv in a copy of the files that it needs. */
export type InstallStep =
  | {
      readonly how: 'install'
      /** Relative to `source`: where uv stands. */
      readonly folder: string
      /** Words behind `uv pip install`. */
      readonly words: readonly string[]
      /** All versions stand in it, so nothing else can be resolved along with it. */
      readonly fixed: boolean
      /** The project's name, where it may have to be built for this, without git. */
      readonly project: string | undefined
    }
  /** uv.lock: written out as requirements first. */
  | {
      readonly how: 'uv-lock'
      readonly folder: string
      /** Words behind `uv export`. */
      readonly words: readonly string[]
      /** Every package of it has a hash. */
      readonly hashed: boolean
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
