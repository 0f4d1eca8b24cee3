/* A sum that no int can hold. */
#include <limits.h>

int main(int count, char **arguments)
{
    (void)arguments;
    volatile int sum = INT_MAX;
    sum = sum + count;
    return 0;
}
