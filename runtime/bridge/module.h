/*
 * The Lua library that is built into the binary: one entry a source file below lua/, the last one
 * empty. Defined by the build (cmake/embed_lua.cmake).
 */
#ifndef MOONLIT_BRIDGE_MODULE_H
#define MOONLIT_BRIDGE_MODULE_H

struct lua_module {
    const char *name;  /* "moonlit.ui" */
    const char *path;  /* "lua/moonlit/ui.lua", for tracebacks and for reading from disk */
    const char *start; /* the source ... */
    const char *end;   /* ... up to here */
};

extern const struct lua_module lua_modules[];

#endif
