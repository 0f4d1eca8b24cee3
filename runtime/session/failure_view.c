#include "session/failure_view.h"

#include <stdio.h>
#include <string.h>

#include "base/bson.h"
#include "run/failure.h"
#include "run/run.h"
#include "ui/draft.h"
#include "ui/element.h"

enum { LINES_AROUND = 2 };

void failure_write_text(struct bson_out *out, const char *name, const char *text)
{
    char clean[sizeof((struct failure *)0)->message];
    size_t length = 0;
    while (*text != '\0' && length + 4 < sizeof clean) {
        size_t step = 1;
        while (step < 4 && text[step] != '\0' && !bson_is_utf8(text, step)) {
            step++;
        }
        bool is_whole = bson_is_utf8(text, step);
        step = is_whole ? step : 1;
        memcpy(clean + length, is_whole ? text : "?", step);
        length += step;
        text += step;
    }
    bson_write_text(out, name, clean, length);
}

void failure_write_source(struct bson_out *out, const char *file, int number)
{
    size_t list = bson_write_begin_array(out, "source");
    unsigned count = 0;
    char text[256], name[12];
    for (int line = number - LINES_AROUND; line <= number + LINES_AROUND; line++) {
        if (failure_source_line(file, line, text, sizeof text)) {
            size_t pair = bson_write_begin_array(out, bson_index_name(count++, name));
            bson_write_int32(out, "0", line);
            failure_write_text(out, "1", text);
            bson_write_end(out, pair);
        }
    }
    bson_write_end(out, list);
}

static void write_traceback(struct bson_out *out, char *traceback)
{
    size_t list = bson_write_begin_array(out, "traceback");
    unsigned count = 0;
    char name[12], *rest = traceback;
    for (char *line = strtok_r(traceback, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        failure_write_text(out, bson_index_name(count++, name), line);
    }
    bson_write_end(out, list);
}

static void write_props(struct bson_out *out, struct failure *failure)
{
    failure_write_text(out, "message", failure->message);
    failure_write_text(out, "kind", failure->kind);
    if (failure->line > 0) {
        failure_write_text(out, "file", failure->file);
        bson_write_int32(out, "line", failure->line);
        failure_write_source(out, failure->file, failure->line);
    }
    write_traceback(out, failure->traceback);
}

void failure_draw(struct run *run, uint64_t container)
{
    struct draft *draft = run->draft;
    if (!draft_has(draft, container)) {
        container = ROOT_MAIN;
    }
    unsigned number = draft_next_number(draft, ELEMENT_exception, container);
    uint64_t id = element_id_counted(ELEMENT_exception, number, container);
    enum draft_answer answer = draft_begin(draft, ELEMENT_exception, id, container);
    if (answer == DRAFT_DEEP) {
        failure_draw(run, ROOT_MAIN);
    } else if (answer == DRAFT_YES) {
        write_props(&draft->out, run_failure(run));
        draft_end(draft, false, run->failure->line, NULL);
    }
}
