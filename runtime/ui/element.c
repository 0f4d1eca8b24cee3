#include "ui/element.h"

#include <string.h>

/* The words of the list, in C. */
#define TYPE_TEXT          FIELD_TEXT, NULL
#define TYPE_BOOLEAN       FIELD_BOOLEAN, NULL
#define TYPE_NUMBER        FIELD_NUMBER, NULL
#define TYPE_INTEGER       FIELD_INTEGER, NULL
#define TYPE_TEXTS         FIELD_TEXTS, NULL
#define TYPE_NUMBERS       FIELD_NUMBERS, NULL
#define TYPE_VALUE         FIELD_VALUE, NULL
#define TYPE_FUNCTION      FIELD_FUNCTION, NULL
#define TYPE_SIZE          FIELD_SIZE, NULL
#define TYPE_CHOICE(words) FIELD_CHOICE, #words
#define TYPE_ONE_OF(words) FIELD_ONE_OF, #words

#define KIND_OF_LEAF      KIND_LEAF
#define KIND_OF_WIDGET    KIND_WIDGET
#define KIND_OF_CONTAINER KIND_CONTAINER

static const struct field widget_fields[] = {
#define WIDGET_FIELD(name, source, type, default_value, doc)                                       \
    {#name, SOURCE_##source, TYPE_##type, #default_value},
#include "ui/elements.def"
};

/* All fields in one row; each element knows where its own begin. */
static const struct field own_fields[] = {
#define FIELD(element, name, source, type, default_value, doc)                                     \
    {#name, SOURCE_##source, TYPE_##type, #default_value},
#include "ui/elements.def"
};

enum {
#define ELEMENT(name, kind, doc)                               FIRST_##name, BEFORE_##name = FIRST_##name - 1,
#define FIELD(element, name, source, type, default_value, doc) AT_##element##_##name,
#include "ui/elements.def"
    END_OF_FIELDS
};

static const int first_fields[] = {
#define ELEMENT(name, kind, doc) FIRST_##name,
#include "ui/elements.def"
    END_OF_FIELDS,
};

enum { WIDGET_FIELD_COUNT = sizeof widget_fields / sizeof widget_fields[0] };

static const struct element elements[] = {
#define ELEMENT(name, kind, doc)                                                                   \
    {#name,                                                                                        \
     KIND_OF_##kind,                                                                               \
     widget_fields,                                                                                \
     KIND_OF_##kind == KIND_WIDGET ? WIDGET_FIELD_COUNT : 0,                                       \
     own_fields + FIRST_##name,                                                                    \
     ELEMENT_##name == ELEMENT_empty},
#include "ui/elements.def"
};

const struct element *element_get(enum element_type type)
{
    return &elements[type];
}

int element_field_count(enum element_type type)
{
    return elements[type].common_count + first_fields[type + 1] - first_fields[type];
}

bool field_is_required(const struct field *field)
{
    return field->default_value[0] == 'r' && strcmp(field->default_value, "required") == 0;
}

enum element_type element_find(const char *name)
{
    int type = 0;
    while (type < ELEMENT_COUNT && strcmp(elements[type].name, name) != 0) {
        type++;
    }
    return (enum element_type)type;
}

int element_find_field(enum element_type type, const char *name)
{
    for (int i = 0; i < element_field_count(type); i++) {
        if (strcmp(element_field(&elements[type], i)->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- did you mean ---- */

enum { WORD_MAX = 40 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many letters must change, or change places, to make one word of the other. */
static int distance(const char *a, const char *b)
{
    int table[WORD_MAX + 1][WORD_MAX + 1];
    int a_length = (int)strnlen(a, WORD_MAX), b_length = (int)strnlen(b, WORD_MAX);
    for (int i = 0; i <= a_length; i++) {
        for (int j = 0; j <= b_length; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            int best = least(table[i - 1][j], table[i][j - 1]) + 1;
            best = least(best, table[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = least(best, table[i - 2][j - 2] + 1);
            }
            table[i][j] = best;
        }
    }
    return table[a_length][b_length];
}

/* A word that begins with the other is nearest: min_value is min. */
static int distance_of_names(const char *option, const char *name)
{
    size_t shorter = strlen(option) < strlen(name) ? strlen(option) : strlen(name);
    return shorter > 2 && strncmp(option, name, shorter) == 0 ? 1 : distance(option, name);
}

const char *element_nearest(enum element_type type, const char *name)
{
    const char *best = "key";
    int shortest = distance("key", name);
    for (int i = 0; i < element_field_count(type); i++) {
        const struct field *field = element_field(&elements[type], i);
        bool is_option = field->source == SOURCE_OPTION || field->source == SOURCE_LOCAL;
        int far = is_option ? distance_of_names(field->name, name) : WORD_MAX;
        if (far < shortest) {
            shortest = far;
            best = field->name;
        }
    }
    return best;
}

/* ---- words ---- */

bool field_has_word(const struct field *field, const char *word, size_t length)
{
    for (const char *at = field->words; at != NULL;) {
        size_t here = strcspn(at, "|");
        if (here == length && memcmp(at, word, length) == 0) {
            return true;
        }
        at = at[here] == '|' ? at + here + 1 : NULL;
    }
    return false;
}

bool field_is_default_word(const struct field *field, const char *word, size_t length)
{
    return strlen(field->default_value) == length &&
           memcmp(field->default_value, word, length) == 0;
}

/* ---- identity ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xa0761d6478bd642fu);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t mix_text(uint64_t seed, const char *text, size_t length)
{
    uint64_t hash = mix(seed, length);
    for (; length >= 8; text += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = mix(hash, word);
    }
    uint64_t rest = 0;
    memcpy(&rest, text, length);
    return mix(hash, rest);
}

/* 52 bits, none of them a root's. */
static uint64_t to_id(uint64_t hash)
{
    uint64_t id = hash >> 12;
    return id > ROOT_LAST ? id : id + 1 + ROOT_LAST;
}

uint64_t element_id_keyed(const char *key, size_t length)
{
    return to_id(mix_text(1, key, length));
}

uint64_t element_id_widget(enum element_type type, const char *label, size_t length,
                           uint64_t container)
{
    return to_id(mix_text(mix(2 + 4 * (uint64_t)type, container), label, length));
}

uint64_t element_id_counted(enum element_type type, unsigned number, uint64_t container)
{
    return to_id(mix(mix(3 + 4 * (uint64_t)type, container), number));
}
