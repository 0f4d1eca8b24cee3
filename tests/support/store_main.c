/* The built-in store as a program of its own, for tests that start before the binary does. */
#include <stdio.h>

#include "store/store.h"

int main(int count, char **arguments)
{
    struct store_options options;
    struct error error = {0};
    if (!store_options_read(&options, count - 1, arguments + 1, &error)) {
        fprintf(stderr, "moonlit: %s\n", error.message);
        return 2;
    }
    return store_main(&options);
}
