/* Random programs compute the same as they are, rewritten, and rewritten in the sandbox with a pause at
 * each tick; SEED says where to begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script_case.h"

struct generator {
    uint32_t seed;
    struct buffer out;
    int depth;
    int loops; /* around the place */
    int labels;
    bool in_function;
};

static uint32_t pick(struct generator *generator, uint32_t below)
{
    generator->seed = generator->seed * 1664525u + 1013904223u;
    return (generator->seed >> 10) % below;
}

static void expression_of(struct generator *generator, int depth)
{
    static const char *const operators[] = {"+", "-", "*", "..", "==", "<", "and", "or"};
    switch (depth > 2 ? pick(generator, 3) : pick(generator, 9)) {
    case 0:
        buffer_append_format(&generator->out, "%u", pick(generator, 9));
        break;
    case 1:
    case 2:
        buffer_append_format(&generator->out, "v%u", pick(generator, 4));
        break;
    case 3:
        buffer_append_format(&generator->out, "f%u(v%u)", pick(generator, 3), pick(generator, 4));
        break;
    case 4:
        buffer_append_text(&generator->out, "ask()");
        break;
    case 5:
        buffer_append_text(&generator->out, "(function() return v1 end)()");
        break;
    case 6:
        buffer_append_text(&generator->out, "#{ask(), 'end', [1]=2}");
        break;
    default: {
        const char *operator= operators[pick(generator, 8)];
        bool numbers = strlen(operator) == 1;
        buffer_append_text(&generator->out, numbers ? "(num(" : "(");
        if (strcmp(operator, "..") == 0 || strcmp(operator, "<") == 0) {
            buffer_append_text(&generator->out, strcmp(operator, "<") == 0 ? "" : "tostring(");
        }
        bool text = strcmp(operator, "..") == 0;
        expression_of(generator, depth + 1);
        buffer_append_text(&generator->out, numbers || text ? ")" : "");
        buffer_append_format(&generator->out, " %s ", operator);
        buffer_append_text(&generator->out, numbers ? "num(" : text ? "tostring(" : "");
        expression_of(generator, depth + 1);
        buffer_append_text(&generator->out, numbers || text ? "))" : ")");
        break;
    }
    }
}

static void block_of(struct generator *generator);

static void if_of(struct generator *generator)
{
    buffer_append_text(&generator->out, "if ");
    expression_of(generator, 0);
    buffer_append_text(&generator->out, " then ");
    block_of(generator);
    if (pick(generator, 3) == 0) {
        buffer_append_text(&generator->out, " elseif ");
        expression_of(generator, 1);
        buffer_append_text(&generator->out, " then ");
        block_of(generator);
    }
    if (pick(generator, 2) == 0) {
        buffer_append_text(&generator->out, " else ");
        block_of(generator);
    }
    buffer_append_text(&generator->out, " end\n");
}

static void loop_of(struct generator *generator)
{
    int label = ++generator->labels;
    generator->loops++;
    uint32_t kind = pick(generator, 3);
    if (kind == 0) {
        buffer_append_format(&generator->out, "for i = 1, %u do ", pick(generator, 3));
    } else if (kind == 1) {
        buffer_append_text(&generator->out, "do local i = 0 while i < 2 do i = i + 1 ");
    } else {
        buffer_append_text(&generator->out, "do local i = 0 repeat i = i + 1 do ");
    }
    block_of(generator);
    if (kind == 2) {
        buffer_append_text(&generator->out, " end until i > 1 end\n");
    } else {
        buffer_append_format(&generator->out, "if ask() then goto c%d end ", label);
        block_of(generator);
        buffer_append_format(&generator->out, " ::c%d:: end %s\n", label, kind == 1 ? "end" : "");
    }
    generator->loops--;
}

/* A function with its own parameters, which may leave early, call itself and be called at once. */
static void function_of(struct generator *generator)
{
    static const char *const ends[] = {"", "return v0", "return f0(v1)", "return ...",
                                       "return select('#', ...), v2"};
    int loops = generator->loops;
    bool outer = generator->in_function;
    generator->loops = 0;
    generator->in_function = true;
    buffer_append_format(&generator->out, "local function f%u(v%u, ...) deeper() ",
                         pick(generator, 3), pick(generator, 4));
    block_of(generator);
    buffer_append_format(&generator->out, " %s end out(f%u(v3, v2, v1))\n",
                         ends[pick(generator, 5)], pick(generator, 3));
    generator->in_function = outer;
    generator->loops = loops;
}

/* Things that a rewriter could trip over; the error's words hold the line. */
static void special_of(struct generator *generator)
{
    static const char *const specials[] = {
        "if ask() then error('at') end",
        "v0, v1 = v1, (ask())",
        "local t = { n = 0 } function t:add(x) self.n = self.n + num(x) return self end "
        "out(t:add(v0):add(2).n)",
        "local i = 0 repeat local last = i i = i + 1 until last > 1 or ask()",
        "local fs = {} for i = 1, 2 do fs[i] = function() i = i + 1 return i end end "
        "out(fs[1]() + fs[1]() + fs[2]())",
        "for k, x in pairs { 1, 2, v0 } do if x == 2 then out(k) end end",
        "out([[a ]=] --[[ end ]] .. '\\' end --') -- end if\n",
        "out(pcall(function(...) return select('#', ...), ... end, v0, nil, v1))",
        "local w = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end return v0 end) "
        "out(w()) out(w()) out(w())",
        "out((('abc'):gsub('b', function(c) return c .. tostring(v2) end)))",
        "while true do if ask() then break end out('w') do break end end",
        "for i = 2, 1, -1 do for j = i, 1, -1 do if ask() then break end out(i * j) end end",
    };
    buffer_append_text(&generator->out, "do ");
    buffer_append_text(&generator->out,
                       specials[pick(generator, sizeof specials / sizeof *specials)]);
    buffer_append_text(&generator->out, " end");
}

static void statement_of(struct generator *generator)
{
    switch (pick(generator, 15)) {
    case 11:
        function_of(generator);
        break;
    case 12:
    case 13:
        special_of(generator);
        break;
    case 14:
        buffer_append_text(&generator->out,
                           generator->in_function
                               ? "if ask() then return f1(v0), v1 end"
                               : "do if ask() then goto over end out('n') ::over:: end");
        break;
    case 0:
    case 1:
        buffer_append_format(&generator->out, "local v%u = ", pick(generator, 4));
        expression_of(generator, 0);
        break;
    case 2:
        buffer_append_format(&generator->out, "v%u = ", pick(generator, 4));
        expression_of(generator, 0);
        break;
    case 3:
        buffer_append_text(&generator->out, "out(");
        expression_of(generator, 0);
        buffer_append_text(&generator->out, ")");
        break;
    case 4:
        buffer_append_text(&generator->out, "local go = ask() out('x') if go then out('y') end");
        break;
    case 5:
        if (generator->loops > 0) {
            buffer_append_text(&generator->out, "if ask() then break end");
        }
        break;
    case 6:
        buffer_append_text(&generator->out, "do (f0 or f1)(ask()) end");
        break;
    case 7:
        loop_of(generator);
        break;
    default:
        if_of(generator);
        break;
    }
    buffer_append_text(&generator->out, "\n");
}

static void block_of(struct generator *generator)
{
    uint32_t count = generator->depth >= 4 ? 1 : 1 + pick(generator, 3);
    generator->depth++;
    for (uint32_t i = 0; i < count; i++) {
        if (generator->depth > 5) {
            buffer_append_text(&generator->out, "out(v0) ");
        } else {
            statement_of(generator);
        }
    }
    generator->depth--;
}

static const char prelude[] =
    "local asked, steps = 0, 0\n"
    "local function num(x) return tonumber(x) or 1 end\n"
    "local function ask() asked = asked + 1 steps = steps + 1 "
    "if steps > 5000 then error('enough', 0) end\n"
    "  if asked % 3 == 0 then press() return true end return false end\n"
    "local text = {} local function out(x) steps = steps + 1 "
    "if steps > 5000 then error('enough', 0) end "
    "if #text < 300 then text[#text + 1] = tostring(x):sub(1, 20) end end\n"
    "local function deeper() steps = steps + 20 if steps > 5000 then error('enough', 0) end end\n"
    "local v0, v1, v2, v3 = 1, 2, 'a', false\n"
    "local function f0(x) return x end local function f1(x) return num(x) % 7 end\n"
    "local function f2(x) if ask() then return f1(x) end return x end\n"
    "local ok, problem = pcall(function()\n";
static const char ending[] =
    "\nend) result = table.concat(text, ' ') .. '|' .. tostring(problem)\n";

/* Run as it is, rewritten, or rewritten in the sandbox and stopped at each tick; the result is the
 * global of that name. */
enum way { AS_IT_IS, REWRITTEN, SLICED };

static char *result_of(struct script_case *test, const char *source, size_t length, enum way way)
{
    lua_State *L = test->state->L;
    struct error error = {0};
    if (way == SLICED) {
        case_push_sandbox(test, LUA_NOREF);
    } else {
        case_push_open_globals(test);
    }
    int environment = lua_gettop(L);
    bool ok = true;
    if (way != AS_IT_IS) {
        ok = chunk_load_text(L, source, length, "=random", environment, &error);
    } else {
        ok = luaL_loadbuffer(L, source, length, "=random") == 0;
        lua_pushvalue(L, environment);
        lua_setfenv(L, -2);
    }
    lua_State *co = lua_newthread(L);
    lua_insert(L, -2);
    lua_xmove(L, co, ok ? 1 : 0);
    test->tick_yields = way == SLICED;
    if (!ok || case_resume(test, co, 10000000) != 0) {
        fail_msg("%s %s\n%.*s", error.message, lua_tostring(co, -1), (int)length, source);
    }
    lua_getfield(L, environment, "result");
    char *result = strdup(lua_tostring(L, -1));
    lua_settop(L, 0);
    return result;
}

/* Every id is ended at most once, and by the end all are. */
static void expect_holds_ended(const struct script_case *test, const char *source)
{
    char open[4096] = "";
    for (const char *at = test->log; at != NULL && *at != '\0';
         at = strchr(at, ' ') != NULL ? strchr(at, ' ') + 1 : NULL) {
        unsigned id;
        if (sscanf(at, "H%u", &id) == 1 && id < sizeof open) {
            open[id] = 1;
        } else if (sscanf(at, "E%u", &id) == 1 && id < sizeof open) {
            if (open[id] != 1) {
                fail_msg("hold %u ended twice:\n%s\n%s", id, test->log, source);
            }
            open[id] = 2;
        }
    }
}

static void a_rewritten_program_computes_what_the_original_does(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint32_t first = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : 1;
    for (uint32_t seed = first; seed < first + 400; seed++) {
        struct generator generator = {.seed = seed * 2654435761u};
        struct script_case *test = case_new();
        buffer_init(&generator.out, 1 << 20);
        buffer_append_text(&generator.out, prelude);
        block_of(&generator);
        block_of(&generator);
        buffer_append_text(&generator.out, ending);
        buffer_append(&generator.out, "", 1);
        const char *source = (const char *)generator.out.bytes;
        size_t length = generator.out.length - 1;
        char *original = result_of(test, source, length, AS_IT_IS);
        for (enum way way = REWRITTEN; way <= SLICED; way++) {
            test->log[0] = '\0';
            char *result = result_of(test, source, length, way);
            if (strcmp(original, result) != 0) {
                fail_msg("seed %u, way %d\n%s\n%s\n%s", seed, way, original, result, source);
            }
            expect_holds_ended(test, source);
            free(result);
        }
        free(original);
        buffer_deinit(&generator.out);
        case_free(test);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rewritten_program_computes_what_the_original_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
