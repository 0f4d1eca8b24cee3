# Write every Lua source below ROOT as bytes into one C file OUT: struct lua_module lua_modules[].
file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/*.lua)
list(FILTER sources EXCLUDE REGEX "^meta/") # what editors read, and nothing runs
list(SORT sources)
set(text "/* Made from lua/ by cmake/embed_lua.cmake. */\n#include \"bridge/module.h\"\n\n")
set(table "const struct lua_module lua_modules[] = {\n")
set(number 0)
foreach(source ${sources})
  string(REGEX REPLACE "\\.lua$" "" module ${source})
  string(REPLACE "/" "." module ${module})
  string(REGEX REPLACE "\\.init$" "" module ${module})
  string(APPEND text "__asm__(\".section .rodata\\nlua_module_${number}:\\n.incbin \\\"${ROOT}/${source}\\\"\\n\"\n"
                     "        \"lua_module_${number}_end:\\n.byte 0\\n.previous\\n\");\n"
                     "extern const char lua_module_${number}[], lua_module_${number}_end[];\n")
  string(APPEND table "    {\"${module}\", \"lua/${source}\", lua_module_${number}, lua_module_${number}_end},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "${text}\n${table}    {0, 0, 0, 0},\n};\n")
