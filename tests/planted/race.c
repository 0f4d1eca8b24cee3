/* Two threads, one number, no lock. */
#include <pthread.h>
#include <stddef.h>

static int number;

static void *add(void *data)
{
    (void)data;
    number++;
    return NULL;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, add, NULL);
    number++;
    pthread_join(thread, NULL);
    return 0;
}
