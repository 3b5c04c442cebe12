import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { replacing } from '../../src/config/shell-command.ts'

describe('the last command of a line takes the place of its shell', () => {
  test.each([
    ['celery -A app worker', 'exec celery -A app worker'],
    ['  celery worker', '  exec celery worker'],
    ['flask db upgrade && gunicorn app:app', 'flask db upgrade && exec gunicorn app:app'],
    ['cd src; python run.py', 'cd src; exec python run.py'],
    ['A=1 B="two words" python run.py', 'A=1 B="two words" exec python run.py'],
    ['exec python run.py', 'exec python run.py'],
    ['python run.py --port=$PORT', 'exec python run.py --port=$PORT'],
    ['python run.py "${PORT:-80}" ${NAME}', 'exec python run.py "${PORT:-80}" ${NAME}'],
    ["python -c 'import a; a.b(1) && c'", "exec python -c 'import a; a.b(1) && c'"],
    ['python run.py >log 2>&1', 'exec python run.py >log 2>&1'],
    ['cd a && B=1 python run.py a#b \\; c', 'cd a && B=1 exec python run.py a#b \\; c'],
  ])('%s', (command, text) => {
    expect(replacing(command)).toEqual({ text, replaces: true })
  })

  test.each([
    'python one.py & python two.py',
    'python run.py | tee log',
    'a || b',
    'if a; then b; fi',
    'while sleep 1; do flask tick; done',
    '(cd src && python run.py)',
    'python $(which run.py)',
    'python `which run.py`',
    '{ a; b; }',
    'python run.py # for ever',
    'A=1',
    'wait',
    '! a',
    'python run.py <<X',
    "python 'run.py",
    '',
    'a &&',
    'A="$(id)" b',
  ])('unless it is more than a list of commands: %s', (command) => {
    expect(replacing(command)).toEqual({ text: command, replaces: false })
  })

  test('what it does is the same', () => {
    for (const command of ['A=1 B="x y" sh -c \'echo "$A$B"\'', 'cd / && pwd', 'echo a; echo "b c" d\\;e']) {
      const say = (text: string) => spawnSync('sh', ['-c', text], { encoding: 'utf8' }).stdout
      expect(say(replacing(command).text)).toBe(say(command))
    }
  })
})
