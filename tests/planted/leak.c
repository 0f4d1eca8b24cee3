/* Memory that nobody frees and nobody knows any more. */
#include <stdlib.h>

static void *volatile last;

int main(void)
{
    last = malloc(1000);
    last = NULL;
    return 0;
}
