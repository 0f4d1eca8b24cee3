/*
 * Inside the bridge: what its values keep in the registry, one table with numbered slots, and the
 * marks by which metatables of ours are known. A mark's key is a light userdata, which no script
 * can make, so a marked userdata is surely ours.
 */
#ifndef MOONLIT_BRIDGE_SLOTS_H
#define MOONLIT_BRIDGE_SLOTS_H

#include <lua.h>

/* Below 0x100: the metatable of that kind of scalar. */
enum slot {
    SLOT_VIEW = 0x100,  /* metatable; also the mark */
    SLOT_REST,          /* metatable of what iterators over views are called with */
    SLOT_ARRAY,         /* metatable of bson.array; also the mark */
    SLOT_SCRATCH,       /* userdata: struct buffer */
    SLOT_MAKE_INT64,    /* function(high, low): cdata */
    SLOT_INT64_TEXT,    /* function(cdata): its digits and whether it is unsigned, or nil */
    SLOT_SINGLE = 0x200 /* + kind: the one value of it */
};

/* Push what the slot holds. */
void slot_push(lua_State *L, int slot);

/* Take the value from the top of the stack into the slot. */
void slot_set(lua_State *L, int slot);

/* Mark the metatable on top of the stack. */
void slot_mark(lua_State *L, int mark);

/* The mark of the value's metatable, 0 without one. */
int slot_mark_of(lua_State *L, int index);

#endif
