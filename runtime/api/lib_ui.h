/*
 * "moonlit.core.ui": drawing. Each element of elements.def is one C function, made by one closure
 * of lib_ui.c; lua/moonlit/ui.lua stands on them and adds what calls the script's functions.
 *
 *   ui.metric("Orders", 12, { help = "..." })     draws where the script draws now
 *   box:metric("Orders", 12)                      in the container `box`
 *   one:metric("Orders", 13)                      over the element `one`
 *
 * A call is read by lib_ui_args.c, which knows the list, checked and written by lib_ui_write.c, and
 * drawn into the run's draft by lib_ui.c; if it is a widget, lib_ui_widgets.c finds its value by what
 * lib_ui_demand.c says of it.
 * Errors are raised at the script's own line. A Lua error may pass at any point: nothing here is
 * held on the heap meanwhile.
 *
 * Inside the door; not for other rooms.
 */
#ifndef MOONLIT_API_LIB_UI_H
#define MOONLIT_API_LIB_UI_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/run.h"
#include "session/session.h"
#include "ui/draft.h"
#include "ui/element.h"
#include "ui/widgets.h"

/* What a drawing call returns: an element or container of a run. */
struct handle {
    uint64_t id;
    uint64_t run; /* its number; 0 for the roots, which are of every run */
    uint16_t type;
};

enum { CALL_FIELDS_MAX = 32 };

/* One drawing call. */
struct call {
    lua_State *L;
    struct branch *branch;
    struct run *run;
    struct draft *draft;
    struct widgets *widgets;
    const struct element *element;
    enum element_type type;
    int field_count;
    int first;    /* stack index of the first argument behind the handle */
    bool ignores; /* a widget whose change alone runs nothing */
    bool raw;     /* made by ui.lua: all fields by name, those of the wire too */
    uint64_t id;
    uint64_t container;
    uint64_t again;  /* the element to overwrite, 0 for none */
    const char *key; /* on the stack; NULL without one */
    size_t key_length;
    int slots[CALL_FIELDS_MAX]; /* stack index of each field's value, 0 when it is not given */
    int rest;                   /* the first argument behind the options, for ui.lua's own use */
};

/* ---- lib_ui.c ---- */

/* Raise at the script's line: "ui.slider: ..." is added in front. */
int call_error(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int lib_ui_error(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The handle at `index`, or NULL. */
const struct handle *handle_get(lua_State *L, int index);
void handle_push(const struct call *call);

/* The identity of what is no widget: by its key or its number in its container. */
void call_find_id(struct call *call);

/* Say why the draft refused. */
int call_refuse(const struct call *call, enum draft_answer answer, const char *label);

/* ---- lib_ui_args.c ---- */

/* Where the values stand and the key; raises on unknown options and missing arguments. */
void call_read_arguments(struct call *call);

/* The slot of a field by name; 0 when it is not given. */
int call_slot(const struct call *call, const char *name);

/* ---- lib_ui_write.c ---- */

/* Check and write all fields that are given and belong on the wire. */
void call_write_fields(const struct call *call);

/* ---- lib_ui_value.c ---- */

enum value_kind {
    VALUE_NONE,
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_RANGE,
    VALUE_TEXT,
    VALUE_TEXTS
};

/* The value of a widget, wherever it comes from. Texts lie where they came from. */
struct value {
    enum value_kind kind;
    bool flag;
    bool date; /* the numbers are milliseconds since 1970 */
    double low, high;
    const char *text;
    size_t length;
    struct bson_element texts; /* an array */
};

/* What a widget of this kind may hold; VALUE_NONE for what it may not. */
struct value value_read_bson(uint8_t kind, const uint8_t *bytes, size_t length);
struct value value_read_lua(lua_State *L, int index);

void value_write(const struct value *value, struct bson_out *out, const char *name);
void value_push_plain(lua_State *L, const struct value *value);

/* ---- lib_ui_demand.c ---- */

/* What a value must be to fit, as this draw says it. */
struct demand {
    enum value_kind kind;
    bool may_be_null;
    double low, high; /* bounds of numbers */
    bool whole;       /* numbers are */
    bool dates;       /* and stand for dates */
    double step;
    size_t characters; /* at most, 0 for any number */
    bool free_texts;   /* a choice that is not listed may be typed */
    int labels;        /* stack index of the labels */
    unsigned most;     /* texts, 0 for any number */
    struct value usual;
};

/* What this draw demands; raises on options that make no sense. May leave values on the stack. */
void demand_find(const struct call *call, struct demand *demand);
bool demand_fits(lua_State *L, const struct demand *demand, const struct value *value);
bool demand_text_fits(lua_State *L, const struct demand *demand, const char *text, size_t length);

/* What a value is, for a sentence: "a table", "nil", "nan". May push a string. */
const char *lib_ui_kind(lua_State *L, int index);

/* Is an option given as this boolean? */
bool call_has(const struct call *call, bool flag, const char *name);

/* An option that is a finite number; `usual` when it is not given. */
double call_number_option(const struct call *call, const char *name, double usual);

/* How many at most: a whole number from 1 on, 0 when the option is not given. */
unsigned call_count_option(const struct call *call, const char *name);

/* ---- lib_ui_choice.c ---- */

void demand_choice(const struct call *call, struct demand *demand);
void demand_tabs(const struct call *call, struct demand *demand);

/* Radio, selectbox and multiselect. */
bool choice_is(enum element_type type);

/* The place of a label, from 1; 0 when it is not there. */
int choice_find_label(lua_State *L, int labels, const char *text, size_t length);

/* A value of Lua for a choice: options become labels. May leave a string on the stack. */
struct value choice_read_lua(lua_State *L, enum element_type type, int index, int options,
                             int labels);

/* ---- lib_ui_widgets.c ---- */

int draw_widget(struct call *call);

/* Does this container tell the script when it is opened? Then it has a value, as widgets have. */
bool container_tells(struct call *call);
int draw_telling_container(struct call *call);

/* Push the value as the script knows it: the options themselves of a choice. */
void widget_push_value(const struct call *call, const struct value *value);

/* ---- lib_ui_state.c ---- */

int widgets_value(lua_State *L);
int widgets_get_value(lua_State *L);
int widgets_set_value(lua_State *L);
int widgets_values(lua_State *L);

#endif
