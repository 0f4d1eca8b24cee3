/*
 * A session's widgets: their values and who set them. A value outlives the widget's absence from
 * the page, and reconnects.
 *
 * A widget is known from its first draw on. Its value is the user's or the script's (`owned`), or
 * else the default it was last drawn with. What a view set is undone when the view is superseded:
 * widgets_mark opens a journal, widgets_commit closes it and begins the next, widgets_rollback puts
 * back what stood at the last mark or commit. The default of a first draw stays: the page shows it.
 *
 * Bounded by LIMIT_WIDGETS and LIMIT_WIDGET_VALUE: when there is no room, the half of the hidden ones
 * that has been hidden longest is forgotten. Pure; owned by the session.
 */
#ifndef MOONLIT_UI_WIDGETS_H
#define MOONLIT_UI_WIDGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ui/element.h"

struct widget_value {
    uint8_t *bytes; /* of a BSON value; NULL for null and none */
    uint32_t length;
    uint8_t kind;   /* enum bson_kind; BSON_KIND_END for none */
    bool owned;     /* set by the user or the script, not a default */
    bool by_script; /* the script was the last to set it */
};

struct widget {
    uint64_t id;
    struct widget *next_by_id;
    char *key; /* NULL without one */
    struct widget_value value;
    struct widget_value before; /* at the mark, while `journaled` */
    struct widget *next_journaled;
    uint64_t drawn;  /* how many pages were finished before it was drawn last */
    uint16_t type;   /* enum element_type, as drawn last */
    uint16_t former; /* the type it had before, of another element with the same key */
    bool journaled;
    bool bound; /* has callbacks or choices: see lua/moonlit/bindings.lua */
};

struct widgets;

struct widgets *widgets_new(void);
void widgets_free(struct widgets *widgets);

struct widget *widgets_find(const struct widgets *widgets, uint64_t id);
struct widget *widgets_find_key(const struct widgets *widgets, const char *key);

/* Each keyed one, for as long as `each` answers true. */
void widgets_each_keyed(const struct widgets *widgets,
                        bool (*each)(void *data, struct widget *widget), void *data);

/* A widget is drawn: find it or make it. NULL: too many of them on one page (error filled). Others
 * than this one may be forgotten, but none that the page shows. */
struct widget *widgets_draw(struct widgets *widgets, uint64_t id, enum element_type type,
                            const char *key, size_t key_length, struct error *error);

/* May the page set this value? False: no such widget in this session, or a value of the wrong type
 * (error filled). A value out of range is accepted: it falls back at the next draw. */
bool widgets_check(const struct widgets *widgets, uint64_t id, uint8_t kind, const uint8_t *bytes,
                   size_t length, struct error *error);

/* Does the value, which fits no more, fit what the widget was before? Then the page did not know yet
 * that its key names something else now. */
bool widgets_is_outdated(const struct widgets *widgets, uint64_t id, uint8_t kind,
                         const uint8_t *bytes, size_t length);
/* The same of a press. */
bool widgets_was_button(const struct widgets *widgets, uint64_t id);

/* Is it a button drawn in this session? */
bool widgets_is_button(const struct widgets *widgets, uint64_t id, struct error *error);

/* The user's value (checked before; nothing happens otherwise). */
void widgets_set(struct widgets *widgets, uint64_t id, uint8_t kind, const uint8_t *bytes,
                 size_t length);

/* The script's value. */
void widgets_set_by_script(struct widgets *widgets, struct widget *widget, uint8_t kind,
                           const uint8_t *bytes, size_t length);

/* It is drawn with this default; forgets a value of the user or script that no longer fits. */
void widgets_set_default(struct widgets *widgets, struct widget *widget, uint8_t kind,
                         const uint8_t *bytes, size_t length);

/* A run came to its end: what neither it nor one before it that was cut short has drawn since the
 * last finish is hidden. */
void widgets_finish(struct widgets *widgets);

/* A run begins. */
void widgets_mark(struct widgets *widgets);
void widgets_commit(struct widgets *widgets);
void widgets_rollback(struct widgets *widgets);

#endif
