// Loaded before each file of tests by tests/run.sh: a test that hangs is named and ended. Node's runner
// would wait for it, and with it the whole run, until somebody stops both. Whatever waits in a test has
// less patience than this.
import { afterEach, beforeEach } from 'node:test'

const PATIENCE = 300000 // ms

function watch() {
  let where = 'before the first test'
  const timer = setTimeout(() => {
    console.error(`no test has ended for ${PATIENCE / 1000} s: it hangs ${where}`)
    process.exit(1) // which ends what the test started
  }, PATIENCE).unref()
  const note = (words) => {
    where = words
    timer.refresh()
  }
  beforeEach((t) => note(`in "${t?.name}"`))
  afterEach((t) => note(`after "${t?.name}"`))
}

if (process.env.NODE_TEST_CONTEXT) watch() // in the process of a file, not in the runner's
