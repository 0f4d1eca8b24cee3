/* Random scripts, some superseded: by patches the page ends up as by the whole tree. */
#include "tree_stage.h"

static void expect_same_pages(struct naive_page *a, struct naive_page *b, uint64_t parent)
{
    static uint64_t in_a[NAIVE_MAX], in_b[NAIVE_MAX];
    unsigned count = naive_children(a, parent, in_a);
    assert_int_equal(count, naive_children(b, parent, in_b));
    assert_memory_equal(in_a, in_b, count * sizeof(uint64_t));
    for (unsigned i = 0; i < a->count; i++) {
        if (a->elements[i].parent == parent) {
            expect_same_pages(a, b, a->elements[i].id);
        }
    }
}

static void expect_whole(struct stage *stage)
{
    struct patch patch;
    size_t length;
    struct naive_page *page = calloc(1, sizeof *page);
    patch_init(&patch);
    tree_whole(stage->tree, &patch);
    const uint8_t *bytes = patch_bytes(&patch, &length);
    naive_apply(page, bytes, length);
    assert_int_equal(page->count, stage->page->count);
    assert_int_equal(page->count, tree_count(stage->tree));
    for (uint64_t root = ROOT_MAIN; root <= ROOT_LAST; root++) {
        expect_same_pages(page, stage->page, root);
    }
    naive_clear(page);
    free(page);
    patch_deinit(&patch);
}

struct wish {
    uint64_t id, parent;
    enum element_type type;
    int body;
};

/* What the page should show: the elements of the run, in the order of their draws. */
struct script {
    struct wish wishes[NAIVE_MAX];
    unsigned count;
    unsigned seed;
};

static unsigned roll(struct script *script, unsigned below)
{
    script->seed = script->seed * 1664525u + 1013904223u;
    return (script->seed >> 10) % below;
}

static bool is_box(enum element_type type)
{
    return type == ELEMENT_container || type == ELEMENT_empty;
}

static struct wish *find_wish(struct script *script, uint64_t id)
{
    for (unsigned i = 0; i < script->count; i++) {
        if (script->wishes[i].id == id) {
            return &script->wishes[i];
        }
    }
    return NULL;
}

static void forget_below(struct script *script, uint64_t parent)
{
    for (unsigned i = 0; i < script->count;) {
        if (script->wishes[i].parent != parent) {
            i++;
            continue;
        }
        uint64_t id = script->wishes[i].id;
        memmove(&script->wishes[i], &script->wishes[i + 1],
                (--script->count - i) * sizeof script->wishes[0]);
        forget_below(script, id);
        i = 0;
    }
}

static uint64_t choose_parent(struct script *script)
{
    for (int tries = 0; tries < 4 && script->count > 0; tries++) {
        const struct wish *wish = &script->wishes[roll(script, script->count)];
        if (is_box(wish->type)) {
            return wish->id;
        }
    }
    return ROOT_MAIN + roll(script, 2);
}

static void draw_random(struct stage *stage, struct script *script)
{
    static const enum element_type types[] = {ELEMENT_markdown, ELEMENT_container, ELEMENT_text,
                                              ELEMENT_empty, ELEMENT_metric};
    int key = (int)roll(script, 40);
    struct wish wish = {key_id(key), choose_parent(script),
                        types[(roll(script, 12) == 0 ? key + 1 : key) % 5], (int)roll(script, 3)};
    struct wish *parent = find_wish(script, wish.parent);
    if (find_wish(script, wish.id) != NULL) {
        return;
    }
    if (parent != NULL && parent->type == ELEMENT_empty) {
        forget_below(script, wish.parent);
    }
    enum draft_answer answer = draft_begin(stage->draft, wish.type, wish.id, wish.parent);
    assert_int_equal(answer, DRAFT_YES);
    end(stage, wish.body);
    script->wishes[script->count++] = wish;
}

static void overwrite_random(struct stage *stage, struct script *script)
{
    struct wish *wish = &script->wishes[roll(script, script->count)];
    if (is_box(wish->type)) {
        return;
    }
    wish->type = roll(script, 4) == 0 ? ELEMENT_caption : wish->type;
    wish->body = (int)roll(script, 3);
    assert_int_equal(draft_begin_again(stage->draft, wish->type, wish->id), DRAFT_YES);
    end(stage, wish->body);
}

static void take_away_random(struct stage *stage, struct script *script)
{
    struct error error;
    struct wish wish = script->wishes[roll(script, script->count)];
    forget_below(script, wish.id);
    if (is_box(wish.type) && roll(script, 2) == 0) {
        assert_true(draft_empty(stage->draft, wish.id, &error));
        return;
    }
    assert_true(draft_remove(stage->draft, wish.id, &error));
    struct wish *at = find_wish(script, wish.id);
    memmove(at, at + 1, (size_t)(&script->wishes[script->count] - (at + 1)) * sizeof *at);
    script->count--;
}

/* The drawn children stand in the script's order, as drawn; `exactly`: and nobody else. */
static void expect_script(struct stage *stage, struct script *script, uint64_t parent, bool exactly)
{
    uint64_t ids[NAIVE_MAX];
    unsigned count = naive_children(stage->page, parent, ids), at = 0;
    for (unsigned i = 0; i < script->count; i++) {
        const struct wish *wish = &script->wishes[i];
        if (wish->parent != parent) {
            continue;
        }
        while (at < count && ids[at] != wish->id && !exactly) {
            at++;
        }
        assert_true(at < count && ids[at] == wish->id);
        at++;
        const struct naive_element *element = naive_find(stage->page, wish->id);
        struct bson_element body;
        assert_true(bson_find(element->props, element->length, "body", 4, &body));
        assert_int_equal(bson_element_int32(&body), wish->body);
        assert_string_equal(element->type, element_get(wish->type)->name);
        expect_script(stage, script, wish->id, exactly);
    }
    assert_true(!exactly || at == count);
}

static void run_random(struct stage *stage, struct script *script)
{
    script->count = 0;
    begin(stage);
    for (unsigned left = roll(script, 60); left > 0; left--) {
        unsigned what = roll(script, 20);
        if (what == 0) {
            flush(stage);
            expect_script(stage, script, ROOT_MAIN, false);
        } else if (what < 3 && script->count > 0) {
            overwrite_random(stage, script);
        } else if (what < 5 && script->count > 0) {
            take_away_random(stage, script);
        } else {
            draw_random(stage, script);
        }
    }
    bool whole = roll(script, 4) != 0;
    (whole ? finish : flush)(stage);
    for (uint64_t root = ROOT_MAIN; root <= ROOT_LAST; root++) {
        expect_script(stage, script, root, whole);
    }
    expect_whole(stage);
}

static void random_pages_end_up_as_drawn(void **state)
{
    struct script *script = calloc(1, sizeof *script);
    for (unsigned seed = 1; seed <= 150; seed++) {
        struct stage stage;
        open_stage(&stage);
        script->seed = seed * 7919;
        for (int run = 0; run < 20; run++) {
            run_random(&stage, script);
        }
        close_stage(&stage);
    }
    free(script);
}

/* Longest increasing subsequence by trying all ends: n * n. */
static unsigned longest(const char *old, const char *now)
{
    unsigned best[64], longest = 0;
    for (unsigned i = 0; now[i] != '\0'; i++) {
        best[i] = 1;
        for (unsigned j = 0; j < i; j++) {
            if (strchr(old, now[j]) < strchr(old, now[i]) && best[j] + 1 > best[i]) {
                best[i] = best[j] + 1;
            }
        }
        longest = best[i] > longest ? best[i] : longest;
    }
    return longest;
}

static void random_orders_move_as_few_as_possible(void **state)
{
    struct script script = {.seed = 42};
    for (int round = 0; round < 300; round++) {
        char old[] = "abcdefghijklmnop", now[] = "abcdefghijklmnop";
        for (unsigned i = sizeof now - 2; i > 0; i--) {
            unsigned j = roll(&script, i + 1);
            char letter = now[i];
            now[i] = now[j];
            now[j] = letter;
        }
        now[roll(&script, sizeof now)] = '\0';
        unsigned count = (unsigned)strlen(now);
        expect_after(old, now, 0, count - longest(old, now), (unsigned)strlen(old) - count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pages_end_up_as_drawn),
        cmocka_unit_test(random_orders_move_as_few_as_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
