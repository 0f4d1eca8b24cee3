/* One byte too many on the heap. */
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments)
{
    char *bytes = malloc(8);
    memset(bytes, arguments[0][0], 8 + (size_t)count);
    int first = bytes[0];
    free(bytes);
    return first == 0;
}
