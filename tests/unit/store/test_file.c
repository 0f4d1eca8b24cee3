/* The ordered key-value file: what is put is there, in order, and only once it was kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/file.h"

struct stage {
    char folder[64];
    struct file *file;
};

static struct file *must_open(const char *folder)
{
    struct error error = {0};
    struct file *file = file_open(folder, &error);
    if (file == NULL) {
        fail_msg("%s", error.message);
    }
    return file;
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    strcpy(stage->folder, "/tmp/moonlit-file-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    stage->file = must_open(stage->folder);
    *state = stage;
    return 0;
}

static int forget(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    return remove(path);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    file_close(stage->file);
    nftw(stage->folder, forget, 8, FTW_DEPTH | FTW_PHYS);
    free(stage);
    return 0;
}

static struct tree *must_tree(struct stage *stage, int kind, uint32_t number)
{
    struct tree *tree = tree_open(stage->file, kind, number);
    assert_non_null(tree);
    return tree;
}

static void put(struct tree *tree, int64_t id, const char *text)
{
    assert_true(record_put(tree, id, (const uint8_t *)text, strlen(text)));
}

static void records_come_back_by_id_and_in_order(void **state)
{
    struct tree *tree = must_tree(*state, TREE_RECORDS, 20);
    size_t length;
    put(tree, 3, "three");
    put(tree, 1, "one");
    put(tree, 2, "two");
    put(tree, 2, "TWO");
    assert_true(record_delete(tree, 3));
    assert_memory_equal(record_get(tree, 2, &length), "TWO", 3);
    assert_int_equal(length, 3);
    assert_null(record_get(tree, 3, &length));
    struct scan *scan = scan_records(tree, 0, INT64_MAX, true);
    assert_int_equal(scan_next(scan), 1);
    assert_int_equal(scan->id, 2);
    assert_int_equal(scan_next(scan), 1);
    assert_memory_equal(scan->bytes, "one", 3);
    assert_int_equal(scan_next(scan), 0);
    scan_close(scan);
}

static void a_transaction_that_is_undone_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct tree *tree = must_tree(stage, TREE_RECORDS, 20);
    size_t length;
    assert_true(file_begin(stage->file, false));
    put(tree, 1, "one");
    assert_non_null(record_get(tree, 1, &length));
    file_rollback(stage->file);
    assert_null(record_get(tree, 1, &length));
    assert_true(file_begin(stage->file, true));
    put(tree, 1, "one");
    assert_true(file_commit(stage->file));
    assert_non_null(record_get(tree, 1, &length));
}

static void what_was_kept_is_there_after_opening_again(void **state)
{
    struct stage *stage = *state;
    struct tree *tree = must_tree(stage, TREE_PAIRS, 21);
    size_t length;
    assert_true(pair_put(tree, (const uint8_t *)"k", 1, (const uint8_t *)"v", 1));
    assert_true(file_wal_bytes(stage->file) > 0);
    assert_true(file_checkpoint(stage->file));
    assert_int_equal(file_wal_bytes(stage->file), 0);
    file_close(stage->file);
    stage->file = must_open(stage->folder);
    tree = must_tree(stage, TREE_PAIRS, 21);
    assert_memory_equal(pair_get(tree, (const uint8_t *)"k", 1, &length), "v", 1);
    assert_true(pair_delete(tree, (const uint8_t *)"k", 1));
    assert_null(pair_get(tree, (const uint8_t *)"k", 1, &length));
}

static void an_index_finds_the_first_id_of_a_key(void **state)
{
    struct tree *tree = must_tree(*state, TREE_INDEX, 22);
    const uint8_t *key = (const uint8_t *)"key\0x";
    assert_int_equal(index_find(tree, key, 5), 0);
    assert_true(index_put(tree, key, 5, 9));
    assert_true(index_put(tree, key, 5, 4));
    assert_true(index_put(tree, key, 3, 1));
    assert_int_equal(index_find(tree, key, 5), 4);
    assert_true(index_delete(tree, key, 5, 4));
    assert_int_equal(index_find(tree, key, 5), 9);
}

static void fill_index(struct tree *tree)
{
    for (int i = 0; i < 300; i++) {
        uint8_t key[2] = {(uint8_t)(i / 3), 0};
        assert_true(index_put(tree, key, 1, i + 1));
    }
}

static int64_t sum_of(struct stage *stage, struct scan *scan, bool pausing)
{
    int64_t sum = 0, count = 0;
    while (scan_next(scan) == 1) {
        sum += scan->id * ++count;
        if (pausing && count % 2 == 0) {
            file_pause(stage->file);
        }
    }
    scan_close(scan);
    return sum;
}

static void a_scan_goes_on_where_it_paused_in_both_directions(void **state)
{
    struct stage *stage = *state;
    struct tree *tree = must_tree(stage, TREE_INDEX, 22);
    uint8_t from = 10, to = 60;
    fill_index(tree);
    for (int backward = 0; backward < 2; backward++) {
        int64_t whole = sum_of(stage, scan_keys(tree, &from, 1, &to, 1, backward), false);
        int64_t parts = sum_of(stage, scan_keys(tree, &from, 1, &to, 1, backward), true);
        assert_true(whole > 0);
        assert_int_equal(whole, parts);
    }
}

static void a_paused_scan_sees_what_others_did_behind_its_position(void **state)
{
    struct stage *stage = *state;
    struct tree *tree = must_tree(stage, TREE_RECORDS, 23);
    put(tree, 1, "1");
    put(tree, 2, "2");
    put(tree, 3, "3");
    struct scan *scan = scan_records(tree, 0, INT64_MAX, false);
    assert_int_equal(scan_next(scan), 1);
    file_pause(stage->file);
    assert_true(record_delete(tree, 1));
    assert_true(record_delete(tree, 2));
    put(tree, 4, "4");
    assert_int_equal(scan_next(scan), 1);
    assert_int_equal(scan->id, 3);
    assert_int_equal(scan_next(scan), 1);
    assert_int_equal(scan->id, 4);
    assert_int_equal(scan_next(scan), 0);
    scan_close(scan);
}

static void a_scan_of_a_dropped_tree_ends_with_an_error(void **state)
{
    struct stage *stage = *state;
    struct tree *tree = must_tree(stage, TREE_RECORDS, 23);
    put(tree, 1, "1");
    put(tree, 2, "2");
    struct scan *scan = scan_records(tree, 0, INT64_MAX, false);
    assert_int_equal(scan_next(scan), 1);
    assert_true(tree_drop(tree));
    assert_int_equal(scan_next(scan), -1);
    assert_non_null(strstr(file_problem(stage->file), "dropped"));
    scan_close(scan);
}

static void a_tree_can_be_emptied_and_counted(void **state)
{
    struct tree *tree = must_tree(*state, TREE_RECORDS, 23);
    int64_t count, last, bytes;
    put(tree, 5, "five");
    put(tree, 7, "seven");
    assert_true(record_count(tree, &count));
    assert_true(record_last(tree, &last));
    assert_true(record_bytes(tree, &bytes));
    assert_int_equal(count, 2);
    assert_int_equal(last, 7);
    assert_int_equal(bytes, 9);
    assert_true(tree_wipe(tree));
    assert_true(record_count(tree, &count));
    assert_true(record_last(tree, &last));
    assert_int_equal(count, 0);
    assert_int_equal(last, 0);
}

static void a_folder_has_one_owner_at_a_time(void **state)
{
    struct stage *stage = *state;
    struct error error = {0};
    assert_null(file_open(stage->folder, &error));
    assert_non_null(strstr(error.message, "Another store is using"));
}

static void a_foreign_file_is_refused_with_the_way_out(void **state)
{
    struct error error = {0};
    char folder[] = "/tmp/moonlit-file-XXXXXX", path[80];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.sqlite", folder);
    FILE *foreign = fopen(path, "w");
    fputs("this is a letter, and no database at all, however long it may go on", foreign);
    fclose(foreign);
    assert_null(file_open(folder, &error));
    assert_true(error.message[0] != '\0');
    nftw(folder, forget, 8, FTW_DEPTH | FTW_PHYS);
}

#define staged(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        staged(records_come_back_by_id_and_in_order),
        staged(a_transaction_that_is_undone_leaves_nothing),
        staged(what_was_kept_is_there_after_opening_again),
        staged(an_index_finds_the_first_id_of_a_key),
        staged(a_scan_goes_on_where_it_paused_in_both_directions),
        staged(a_paused_scan_sees_what_others_did_behind_its_position),
        staged(a_scan_of_a_dropped_tree_ends_with_an_error),
        staged(a_tree_can_be_emptied_and_counted),
        staged(a_folder_has_one_owner_at_a_time),
        cmocka_unit_test(a_foreign_file_is_refused_with_the_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
