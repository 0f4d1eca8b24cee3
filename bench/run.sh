# The measures: sourced by ./dev. Each row is run beside its limit; bench/results.md is the table.
run_bench() {
  say "Building the measures"
  build_c build bench_echo bench_ping bench_rerun bench_counter bench_driver bench_store
  say "Measuring"
  node bench/run.mjs "$@"
}
