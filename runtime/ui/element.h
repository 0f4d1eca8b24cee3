/*
 * The elements: what elements.def lists, as C. One enum of kinds, one table of their fields, and
 * the identity that an element has on the page.
 *
 * An identity is a number of 52 bits (exact in a double of Lua and of JavaScript), above the roots'
 * 1 to 4: a keyed element's is made of its key alone; a widget's of its type, its label and its
 * container; any other's of its type and its number in its container.
 *
 * Pure; everything here is constant.
 */
#ifndef MOONLIT_UI_ELEMENT_H
#define MOONLIT_UI_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum element_type {
#define ELEMENT(name, kind, doc) ELEMENT_##name,
#include "ui/elements.def"
    ELEMENT_COUNT
};

enum element_kind { KIND_LEAF, KIND_WIDGET, KIND_CONTAINER };

enum field_source { SOURCE_ARG, SOURCE_OPTION, SOURCE_WIRE, SOURCE_LOCAL };

enum field_type {
    FIELD_TEXT,
    FIELD_BOOLEAN,
    FIELD_NUMBER,
    FIELD_INTEGER,
    FIELD_TEXTS,
    FIELD_NUMBERS,
    FIELD_VALUE,
    FIELD_FUNCTION,
    FIELD_CHOICE,
    FIELD_ONE_OF,
    FIELD_SIZE,
};

/* One line of the list. */
struct field {
    const char *name;
    enum field_source source;
    enum field_type type;
    const char *words;         /* of a CHOICE or ONE_OF, as "a|b|c" */
    const char *default_value; /* as written in the list: "none", "false", "small", ... */
};

struct element {
    const char *name;
    enum element_kind kind;
    const struct field *common; /* a widget's first fields */
    int common_count;
    const struct field *own;
    bool single; /* a container that holds one element at most */
};

enum { ROOT_MAIN = 1, ROOT_SIDEBAR = 2, ROOT_EVENT = 3, ROOT_BOTTOM = 4, ROOT_LAST = 4 };

const struct element *element_get(enum element_type type);

/* The fields in the order of the list: those of every widget first. */
static inline const struct field *element_field(const struct element *element, int index)
{
    return index < element->common_count ? &element->common[index]
                                         : &element->own[index - element->common_count];
}

int element_field_count(enum element_type type);

bool field_is_required(const struct field *field);

/* May it have a value that the page sets: a widget, or a container that tells when it is opened? */
static inline bool element_has_value(enum element_type type)
{
    return element_get(type)->kind == KIND_WIDGET || type == ELEMENT_expander ||
           type == ELEMENT_tabs;
}

/* By name; ELEMENT_COUNT when there is none. */
enum element_type element_find(const char *name);

/* The index of a field, or -1. */
int element_find_field(enum element_type type, const char *name);

/* The option (or LOCAL field, or "key") that is most like `name`: for "did you mean". */
const char *element_nearest(enum element_type type, const char *name);

/* Is `word` one of the words of a CHOICE or ONE_OF? */
bool field_has_word(const struct field *field, const char *word, size_t length);

/* Is `word` the field's default? Then it is left out of the wire. */
bool field_is_default_word(const struct field *field, const char *word, size_t length);

/* ---- identity ---- */
uint64_t element_id_keyed(const char *key, size_t length);
uint64_t element_id_widget(enum element_type type, const char *label, size_t length,
                           uint64_t container);
uint64_t element_id_counted(enum element_type type, unsigned number, uint64_t container);

#endif
