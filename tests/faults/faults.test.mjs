// Faults planted in the host: each patch of this folder breaks one promise, and the tests that guard
// it must turn red. A patch names the build it is planted in, the program that is built with it, what
// the red test says, and for the host which of the model's scripts are walked and how often. Only the
// files it touches are compiled, and linked before the build's own.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folder } from '../support/moonlit.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const PATIENCE = 240000 // ms; then the red test hangs, and that is said

function readFault(file) {
  const text = readFileSync(join(here, file), 'utf8')
  const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)[1]
  return {
    patch: join(here, file),
    words: text.slice(0, text.indexOf('\n')),
    build: join(root, field('Build')),
    target: field('Target'),
    says: new RegExp(field('Says')),
    walks: field('Build') === 'build' ? field('Walks').split(' ') : [],
    sources: [...text.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, source]) => source),
  }
}

const shell = (command, cwd) => execFileSync('/bin/sh', ['-c', command], { cwd, stdio: 'pipe' })

/** Compile the touched source as the build does, from its patched copy. */
function compile({ build }, source, into) {
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'))
  const { command, directory, file } = commands.find(({ file }) => file === join(root, source))
  const object = join(into, `${source.replaceAll('/', '_')}.o`)
  shell(command.replace(/ -o \S+/, ` -o ${object}`).replace(` -c ${file}`, ` -c ${join(into, source)}`), directory)
  return object
}

/** Build the fault's program with the patch in it; a patch that does not fit any more is an error. */
function plant(fault) {
  const into = folder()
  for (const source of fault.sources) {
    mkdirSync(dirname(join(into, source)), { recursive: true })
    copyFileSync(join(root, source), join(into, source))
  }
  execFileSync('git', ['apply', fault.patch], { cwd: into, stdio: 'pipe' })
  const objects = fault.sources.map((source) => compile(fault, source, into)).join(' ')
  const ninja = ['-C', fault.build, '-t', 'commands', fault.target]
  const commands = execFileSync('ninja', ninja, { encoding: 'utf8', maxBuffer: 1 << 28 })
  const program = join(into, fault.target)
  shell(commands.trim().split('\n').at(-1).replace(` -o ${fault.target} `, ` ${objects} -o ${program} `), fault.build)
  return program
}

/** The tests that must notice: the model for the host, a unit for itself. */
function run(program, { walks: [scripts, rounds] }) {
  const env = { ...process.env, MOONLIT_BINARY: program, MODEL_ROUNDS: rounds, TSAN_OPTIONS: 'halt_on_error=1' }
  delete env.NODE_TEST_CONTEXT // or the inner tests would report to this process
  const model = ['--test', `--test-name-pattern=${scripts}`, 'tests/model/model.test.mjs']
  const [command, words] = scripts ? ['node', model] : [program, []]
  const { error, status, stdout, stderr } = spawnSync(command, words, { cwd: root, env, encoding: 'utf8', maxBuffer: 1 << 28, timeout: PATIENCE })
  if (error) throw error
  return { status, said: stdout + stderr }
}

for (const file of readdirSync(here).filter((name) => name.endsWith('.patch'))) {
  const fault = readFault(file)
  test(`noticed: ${fault.words}`, () => {
    const { status, said } = run(plant(fault), fault)
    assert.notEqual(status, 0, 'the tests stay green')
    assert.match(said, fault.says)
  })
}
