import type { Warning } from '../project/project.ts'
import type { Change } from './report.ts'

/*
 * What the probe found (remote/adopt.py), in words. The texts are the app's, and shown like those of a log.
 */

/** Findings: `found WHAT DETAIL`. */
export const appFindings: Readonly<Record<string, (detail: string) => Change>> = {
  app: (detail) => ({ what: 'app', detail: `${detail}, because those before it turned out to be no app` }),
  persist: (detail) => {
    const [paths = '', all = ''] = detail.split(' / ')
    return {
      what: 'persist',
      detail: `${paths}: the app writes there, so it outlives releases; \`persist\` with the lines ${all} pins it`,
    }
  },
  'static-by-app': (detail) => ({ what: 'static', detail: `the app serves ${detail}` }),
  static: (detail) => ({ what: 'static', detail: `nginx serves ${detail}` }),
  socketio: (detail) => ({
    what: 'processes',
    detail: `one web process with ${detail === 'threads' ? '100 threads' : detail}, because Socket.IO keeps its sessions in memory`,
  }),
  'worker-class': (detail) => ({
    what: 'processes',
    detail: `gunicorn's ${detail} workers, as the project has it`,
  }),
}

/** Doubts: `doubt WHAT DETAIL`. */
export const appDoubts: Readonly<Record<string, (detail: string) => Warning>> = {
  'database-temporary': (detail) => ({
    code: 'database-temporary',
    text: `${detail}: that database is gone at the next restart. Set it, by \`env\` or in the code, to a file of the project's folder.`,
  }),
  'database-in-release': (detail) => ({
    code: 'database-in-release',
    text: `${detail}: that database is in a release and gone with it. Name its folder in \`persist\`.`,
  }),
  'writes-outside': (detail) => ({
    code: 'writes-outside',
    text: `The app tried to write to ${detail}, where it may not. Let it write below its own folder or its home.`,
  }),
  'uploads-in-static': (detail) => ({
    code: 'uploads-in-static',
    text: `${detail} is a whole folder of static files, so what is uploaded there is not kept. Set it to a folder of its own.`,
  }),
  'one-worker': () => ({
    code: 'one-worker',
    text: '`workers` is not followed: Socket.IO keeps its sessions in the memory of one process.',
  }),
  'worker-missing': (detail) => ({
    code: 'worker-missing',
    text: `Socket.IO wants to run with ${detail}, but gunicorn has no worker for it. Remove ${detail} from the requirements, or set \`async_mode="threading"\`.`,
  }),
  'secret-key-weak': () => ({
    code: 'secret-key-weak',
    text: "The app's secret key is shorter than 16 characters, so sessions can be forged. Read it from `SECRET_KEY` of the environment.",
  }),
  'probe-unfinished': () => ({
    code: 'probe-unfinished',
    text: 'Importing the app in a scratch copy came to no end in time (60 s, or `health-timeout`), or ended the process, so what it writes and serves is not known.',
  }),
}
