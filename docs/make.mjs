/*
 * Makes docs/limits.md from runtime/limits.h and docs/lua.md from the annotations in lua/moonlit.
 * With --check it writes nothing and fails when one of them is stale. (docs/elements.md is made by
 * web/scripts/elements.mjs.)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const read = (path) => readFileSync(new URL(path, root), 'utf8')
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

// ---- limits ----

// limits.h says in milliseconds what these names say, and in bytes what is a multiple of 1024 or is
// named below; the rest counts things.
const TIMES = /TIME|_CPU|_WALL|_SLICE|_UNYIELDABLE|_MARGIN|_COLLECT|_WAIT$|_STEADY|_STEP$/
const BYTES = /_MESSAGE$|_LINE$|_TEXT$|_KEY$|_UNSEEN$|_STACK$/

function valueOf(expression, known) {
  const text = expression.replace(/[A-Z_]{3,}/g, (name) => {
    if (!known.has(name)) throw new Error(`limits.h: ${name} is not defined above its use`)
    return known.get(name)
  }).replace(/(\d)[uUlL]+\b/g, '$1')
  if (!/^[\d\s+*/()-]+$/.test(text)) throw new Error(`limits.h: not a number: ${expression}`)
  return Function(`return ${text}`)()
}

function wordsOf(name, value, expression) {
  if (TIMES.test(name)) return inUnits(value, [[1000, 's']], 'ms')
  if (BYTES.test(name) || expression.includes('1024)')) return inUnits(value, SIZES, 'bytes')
  return inUnits(value, [])
}

const SIZES = [[1024 ** 3, 'GiB'], [1024 ** 2, 'MiB'], [1000000, 'MB'], [1024, 'KiB']]

/** In the first unit of which it is a multiple, with commas. */
function inUnits(value, units, least) {
  const [size, unit] = units.find(([size]) => value % size === 0) ?? [1, least]
  const digits = String(value / size).replace(/\B(?=(\d{3})+$)/g, ',')
  return unit ? `${digits} ${unit}` : digits
}

function makeLimits() {
  const out = ['# Limits', '', '<!-- Made by docs/make.mjs from runtime/limits.h: do not edit. -->', '',
    'Every maximum of the house. Those with an option can be changed on the command line; the others are part of',
    'the build.', '']
  const known = new Map()
  for (const line of read('runtime/limits.h').split('\n')) {
    const section = /^\/\* ## (.+?) \*\/$/.exec(line)
    if (section) out.push(...(known.size ? [''] : []), `## ${section[1]}`, '', '| limit | value | of what |', '| --- | ---: | --- |')
    if (!/^#define LIMIT_/.test(line)) continue
    const limit = /^#define (LIMIT_\w+)\s+(.+?)\s*\/\*\s*(.+?)\s*\*\/$/.exec(line)
    if (!limit) throw new Error(`limits.h: one #define a line, with the words behind it: ${line}`)
    const [, name, expression, words] = limit
    known.set(name, valueOf(expression, known))
    out.push(`| \`${name}\` | ${wordsOf(name, known.get(name), expression)} | ${cell(words)} |`)
  }
  return out.join('\n') + '\n'
}

// ---- what a script can call ----

// The public modules: what the reader requires, the name of its local, whose functions it shows, and
// where the classes of its values are.
const MODULES = [
  { title: 'moonlit', local: 'ui', files: ['init', 'ui', 'show', 'choose', 'layout', 'wait', 'state'] },
  { title: 'moonlit.mongo', local: 'mongo', files: ['mongo'],
    classes: ['mongo/collection', 'mongo/index', 'mongo/cursor', 'mongo/problem', 'mongo/specs'] },
  { title: 'moonlit.bson', local: 'bson', files: ['bson'] },
]

/** Every block of `---` lines with the line of code behind it, up to what only the host calls. */
function blocksOf(source) {
  const blocks = []
  let block = []
  for (const line of source.split('\n')) {
    if (/^-- -+ called by the host/.test(line)) break
    const doc = /^---(?!-)\s?(.*)$/.exec(line)
    if (doc) {
      block.push(doc[1])
    } else {
      if (block.length > 0) blocks.push({ doc: block, code: line })
      block = []
    }
  }
  return blocks
}

function readBlock({ doc, code }) {
  const entry = { text: [], params: [], returns: [], fields: [], overloads: [] }
  for (const line of doc) {
    const [, tag, rest] = /^@(\w+)\s*(.*)$/.exec(line) ?? []
    if (!tag) entry.text.push(line)
    else if (tag === 'param') entry.params.push(readNamed(rest))
    else if (tag === 'return') entry.returns.push(splitType(rest))
    else if (tag === 'field') entry.fields.push(readNamed(rest))
    else if (tag === 'overload') entry.overloads.push(rest)
    else if (tag === 'class') entry.class = rest.split(/[\s:]/)[0]
    else if (tag === 'type') Object.assign(entry, readFunction(rest))
    else if (tag === 'private' || tag === 'package') entry.hidden = true
  }
  const named = /^(?:function )?([\w]+)([.:])(\w+)\s*(?:=\s*(?:function\s*)?)?(\([^)]*\))?/.exec(code)
  if (named) Object.assign(entry, { owner: named[1], sign: named[2], name: named[3], args: named[4] ?? entry.args })
  const local = /^local (\w+)\s*=/.exec(code)
  if (local) entry.local = local[1]
  return entry
}

/** What `fun(name?: type, ...): type` says of its arguments and its result; nothing for other types. */
function readFunction(type) {
  const [, list, result] = /^fun\((.*)\):\s*(.+)$/.exec(type) ?? []
  if (list === undefined) return {}
  const params = list.split(/,\s*(?=\w+\??:)/).filter(Boolean)
    .map((one) => readNamed(one.replace(':', ' ')))
  const args = `(${params.map((one) => one.name).join(', ')})`
  return { params, args, returns: [{ type: result, words: '' }] }
}

/** `name? type words`, where the type may hold blanks inside of brackets and behind `fun` and `|`. */
function readNamed(text) {
  const [, name, mark, rest] = /^([\w.]+|\[[^\]]+\])(\??)\s*(.*)$/.exec(text)
  const { type, words } = splitType(rest)
  return { name, optional: mark === '?' || type.endsWith('?'), type: type.replace(/\?$/, ''), words }
}

function splitType(rest) {
  let depth = 0, end = 0
  for (; end < rest.length; end++) {
    if ('([{<'.includes(rest[end])) depth++
    if (')]}>'.includes(rest[end])) depth--
    if (rest[end] === ' ' && depth === 0 && !/[:|,]$/.test(rest.slice(0, end)) && !/^\s*\|/.test(rest.slice(end))) break
  }
  return { type: rest.slice(0, end), words: rest.slice(end).trim() }
}

function writeNamed(out, list, heading) {
  if (list.length === 0) return
  out.push(`| ${heading} | type | meaning |`, '| --- | --- | --- |')
  for (const one of list) {
    out.push(`| ${one.name}${one.optional ? ' (optional)' : ''} | \`${cell(one.type)}\` | ${cell(one.words)} |`)
  }
  out.push('')
}

function writeEntry(out, entry, shown) {
  out.push(`### ${shown}`, '')
  if (entry.text.length) out.push(...entry.text, '')
  writeNamed(out, entry.params, 'argument')
  writeNamed(out, entry.fields, 'field')
  for (const one of entry.returns) out.push(`Returns \`${one.type}\` ${one.words}`.trimEnd(), '')
}

function shownName(entry, module, own, classes) {
  if (entry.hidden || !entry.name || entry.name.startsWith('_')) return undefined
  const call = (entry.args ?? '').replace(/options, \.\.\.\)$/, 'options)') // methods have one more
  if (entry.owner === own) return `${module.local}.${entry.name}${call}`
  const owner = classes.get(entry.owner)
  return owner && `${owner}${entry.sign}${entry.name}${call}`
}

/** What a value of the class is called: moonlit.Collection is `collection`; options keep their name. */
function instanceOf(name) {
  if (name.endsWith('Options')) return name
  return name.split('.').at(-1).replace(/^[A-Z]/, (letter) => letter.toLowerCase())
}

/** The names of a file's tables and metatables that stand for a class. */
function classesOf(entries, own) {
  const classes = new Map()
  for (const entry of entries.filter((one) => one.class)) {
    classes.set(entry.class.split('.').at(-1), instanceOf(entry.class))
    if (entry.local && entry.local !== own) classes.set(entry.local, instanceOf(entry.class))
  }
  return classes
}

function writeFile(out, module, file, hasFunctions) {
  const source = read(`lua/moonlit/${file}.lua`)
  const own = hasFunctions ? /\nreturn (\w+)\s*$/.exec(source)?.[1] : undefined
  const entries = blocksOf(source).map(readBlock)
  const classes = classesOf(entries, own)
  for (const entry of entries) {
    const shown = shownName(entry, module, own, classes)
    if (shown) writeEntry(out, entry, `\`${shown}\``)
    else if (own && entry.local === own) out.push(...entry.text, ...(entry.text.length ? [''] : []))
    else if (entry.class && entry.text.length) writeEntry(out, entry, instanceOf(entry.class))
  }
}

function makeLua() {
  const out = ['# What a script can call', '', '<!-- Made by docs/make.mjs from the annotations in lua/moonlit: do not edit. -->', '',
    'Calls that only draw, and the options of all that draw, stand in [elements.md](elements.md).',
    '"(waits)" marks a call during which everybody else goes on.', '']
  for (const module of MODULES) {
    out.push(`## ${module.title}`, '', '```lua', `local ${module.local} = require "${module.title}"`, '```', '')
    for (const file of module.files.filter((name) => existsSync(new URL(`lua/moonlit/${name}.lua`, root)))) writeFile(out, module, file, true)
    for (const file of module.classes ?? []) writeFile(out, module, file, false)
  }
  return out.join('\n').trimEnd() + '\n'
}

// ---- both ----

const isCheck = process.argv.includes('--check')
for (const [name, text] of [['docs/limits.md', makeLimits()], ['docs/lua.md', makeLua()]]) {
  const path = fileURLToPath(new URL(name, root))
  if (!isCheck) writeFileSync(path, text)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is stale: run \`node docs/make.mjs\`.`)
    process.exitCode = 1
  }
}
