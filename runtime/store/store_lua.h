/*
 * What the store's Lua sees of C. The module "store.core" is a table with
 *   api        a pointer to struct store_api, for the FFI (lua/store/core.lua declares it)
 *   file, key  pointers for the FFI too: the open file, and a buffer for keys
 *   limits     numbers of limits.h that the commands need
 *   folder, address, version, test_commands, pid
 *   send(connection, operation, request, bytes)   answer the request under way
 *   finish(connection)                            it gets no answer
 *   close(connection)
 *   wake()                                        call server.turn at the loop's next turn
 *   alarm(milliseconds)                           call it after that time
 *   regex_compile, regex_match, regex_find        regex.h
 * C calls the functions of the module "store.server": receive, turn, opened, closed.
 */
#ifndef MOONLIT_STORE_STORE_LUA_H
#define MOONLIT_STORE_STORE_LUA_H

#include "store/inside.h"

#endif
