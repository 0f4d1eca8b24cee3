# The test run: sourced by ./dev. Kinds, in this order; `./dev test flow pages` runs some of them.
#   style    clang-format, clang-tidy, the length of Lua's lines, generated files up to date
#   units    C units (cmocka, by ctest) with gcc, and the corpora of the fuzz targets
#   clang    the same sources with clang-14, warnings are errors
#   asan     units and corpora under AddressSanitizer, LeakSanitizer and UBSan
#   tsan     the thread boundary under ThreadSanitizer
#   scripts  Lua with expectations, run by luajit
#   web      the client's own tests
#   flow     the real binary, sanitized, and a page without a browser
#   pages    the same in headless Chromium
#   model    random walks against a model, with the binary that users run
#   faults   faults planted in the host and in units: the model, ASan, UBSan or TSan must turn red
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
ALL_KINDS=(style units clang asan tsan scripts web flow pages model faults)
SUMMARY=()
FAILED=0
REPORTS=() # what failed, told once more at the end

# note KIND WORDS STATUS
note() {
  SUMMARY+=("$(printf '%-8s %s' "$1" "$2")")
  [ "$3" -eq 0 ] || FAILED=1
}

# The failed tests of a log of node's runner, with their reasons.
failures_of() {
  awk '/^ *not ok /{on = 1} on {print} /^ *\.\.\.$/{on = 0} /failing tests:$/{on = 1} /it hangs /' "$1" | head -120
}

run_ctest() { # KIND DIR FILTER...
  local kind=$1 dir=$2; shift 2
  local log=$dir/ctest.log status=0
  ctest --test-dir "$dir" --output-on-failure "$@" >"$log" 2>&1 || status=$?
  [ $status -eq 0 ] || cat "$log"
  local failed=0 all=0
  read -r failed all < <(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log") || status=1
  note "$kind" "$((all - failed)) passed, $failed failed" $status
}

run_node() { # KIND FILES...
  local kind=$1; shift
  local log=build/$kind.log status=0
  node --import ./tests/support/watch.mjs --test --test-concurrency="${TEST_CONCURRENCY:-1}" "$@" >"$log" 2>&1 || status=$?
  [ $status -eq 0 ] || { cat "$log"; REPORTS+=("$kind" "$(failures_of "$log")"); }
  local passed failed
  passed=$(sed -n 's/^# pass //p' "$log"); failed=$(sed -n 's/^# fail //p' "$log")
  [ -n "$passed" ] || { passed=$(sed -n 's/^ℹ pass //p' "$log"); failed=$(sed -n 's/^ℹ fail //p' "$log"); }
  [ "${passed:-0}" -gt 0 ] || { status=1; cat "$log"; }
  note "$kind" "${passed:-0} passed, ${failed:-0} failed" $status
}

kind_style() {
  local status=0
  git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror || status=1
  git ls-files 'lua/*.lua' ':!lua/meta' | xargs awk 'length > 100 { print FILENAME ":" FNR ": longer than 100"; bad = 1 } END { exit bad }' || status=1
  node web/scripts/elements.mjs --check || status=1
  node docs/make.mjs --check || status=1
  git ls-files 'runtime/*.c' | xargs -P "$JOBS" -n 4 clang-tidy-14 --quiet -p build >build/tidy.log 2>/dev/null || { status=1; cat build/tidy.log; }
  note style "$([ $status -eq 0 ] && echo clean || echo 'not clean')" $status
}

kind_units() { build_c build all; run_ctest units build --timeout 120; }
kind_clang() {
  local status=0
  build_c build-clang all -- -DCMAKE_C_COMPILER=clang-14 || status=1
  note clang "$([ $status -eq 0 ] && echo 'compiles without a warning' || echo failed)" $status
}
build_sanitized() { # TARGET
  build_c build-asan "$1" -- -DMOONLIT_SANITIZE=ON
}
kind_asan() { build_sanitized all; run_ctest asan build-asan --timeout 300; }
kind_tsan() {
  local mongo=(test_guard test_pool test_cancel test_repeat test_stop test_lib_mongo)
  build_c build-tsan test_worker "${mongo[@]}" -- -DMOONLIT_THREAD_SANITIZE=ON
  run_ctest tsan build-tsan --timeout 300 -R 'worker|mongo/|test_lib_mongo'
}
kind_scripts() {
  local status=0 log=build/scripts.log
  : >"$log"
  local file passed=0 failed=0
  for file in tests/scripts/store/*.lua; do
    [ -e "$file" ] || continue
    luajit tests/support/runner.lua "$file" >build/script.log 2>&1 || { status=1; echo "$file"; cat build/script.log; }
    cat build/script.log >>"$log"
  done
  passed=$(sed -n 's/^\([0-9]*\) passed.*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')
  failed=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p' "$log" | awk '{s+=$1} END {print s+0}')
  [ "$passed" -gt 0 ] || status=1
  note scripts "$passed passed, $failed failed" $status
}
kind_web() { (cd web && npm run --silent check) || { note web 'types are wrong' 1; return; }; run_node web web/test/*.test.mjs; }
run_sanitized() { # KIND FILES...
  [ -n "${MOONLIT_BINARY:-}" ] || build_sanitized moonlit
  MOONLIT_BINARY=${MOONLIT_BINARY:-build-asan/moonlit} run_node "$@"
}
kind_flow() { run_sanitized flow tests/flow/*.test.mjs; }
kind_pages() { run_sanitized pages tests/browser/*.test.mjs; }
kind_model() { MOONLIT_BINARY=${MOONLIT_BINARY:-build/moonlit} run_node model tests/model/*.test.mjs; }
kind_faults() {
  build_sanitized test_event
  build_c build-tsan test_worker -- -DMOONLIT_THREAD_SANITIZE=ON
  run_node faults tests/faults/*.test.mjs
}

run_tests() {
  local kinds=("$@")
  [ ${#kinds[@]} -gt 0 ] || kinds=("${ALL_KINDS[@]}")
  install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  build
  local kind
  for kind in "${kinds[@]}"; do
    declare -F "kind_$kind" >/dev/null || die "unknown kind of test: $kind (${ALL_KINDS[*]})"
    say "Testing: $kind"
    "kind_$kind"
  done
  [ ${#REPORTS[@]} -eq 0 ] || { say "What failed"; printf '%s\n' "${REPORTS[@]}"; }
  say "Summary"
  printf '%s\n' "${SUMMARY[@]}"
  printf '%s\n' "${SUMMARY[@]}" | awk -v kinds="$FAILED" '
    { for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) passed += $(i - 1); if ($i ~ /^failed/) failed += $(i - 1) } }
    END { print passed + 0 " passed, " (failed > kinds ? failed : kinds) + 0 " failed" }'
  return $FAILED
}
