/*
 * The person of the measures: CLIENTS connections, each of which sends an event, waits for the
 * patch that reflects it, and pauses. Prints the latencies in microseconds, one a line.
 *
 *   bench_ping PORT CLIENTS COUNT PAUSE SETUP EVENT OFFSET
 *
 * COUNT events are sent in all; a client pauses PAUSE microseconds after each patch. SETUP is a
 * file with the bytes that open a conversation (upgrade and hello); "-" for none. EVENT is a file
 * with one masked frame (of mask 0) whose int64 number stands at OFFSET. Against the echo, OFFSET
 * is the length of the reply, as a negative number.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

struct client {
    int fd;
    int64_t number; /* of the last event */
    double sent;    /* when, or 0: pausing */
    double next;    /* when the next event is due */
    char *bytes;    /* read and not consumed */
    size_t length;
    bool is_upgraded;
};

struct plan {
    int port;
    size_t clients;
    size_t count;
    double pause;
    char *event;
    size_t event_length;
    long offset;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void fail(const char *words)
{
    perror(words);
    exit(1);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(65536);
    if (file == NULL) {
        fail(path);
    }
    *length = fread(bytes, 1, 65536, file);
    fclose(file);
    return bytes;
}

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno != EINTR) {
            fail("write");
        }
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
}

static void connect_client(struct client *client, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    client->bytes = malloc(BLOCK);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect");
    }
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void receive(struct client *client)
{
    ssize_t count = read(client->fd, client->bytes + client->length, BLOCK - client->length);
    if (count <= 0) {
        fail("the host closed a socket");
    }
    client->length += (size_t)count;
}

static void consume(struct client *client, size_t length)
{
    client->length -= length;
    memmove(client->bytes, client->bytes + length, client->length);
}

/* The size of the frame's head and payload; 0 when it is not whole yet. */
static size_t frame_size(const struct client *client, size_t *head)
{
    const unsigned char *bytes = (const unsigned char *)client->bytes;
    uint64_t length = client->length >= 2 ? bytes[1] & 0x7f : 0;
    *head = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (client->length < *head || client->length < 2) {
        return 0;
    }
    if (length >= 126) {
        length = 0;
        for (size_t i = 2; i < *head; i++) {
            length = length << 8 | bytes[i];
        }
    }
    return client->length >= *head + length ? *head + length : 0;
}

static bool ends_run(const char *bytes, size_t length)
{
    return memmem(bytes, length, "\x02state\0\x08\0\0\0running", 19) == NULL &&
           memmem(bytes, length, "\x02state\0", 7) != NULL;
}

/* Whether the frame is a patch or tree that reflects event `number` at the end of its run. */
static bool reflects(const char *bytes, size_t length, int64_t number)
{
    const char *long_one = memmem(bytes, length,
                                  "\x12"
                                  "ev\0",
                                  4);
    const char *short_one = memmem(bytes, length,
                                   "\x10"
                                   "ev\0",
                                   4);
    int64_t reflected = -1;
    if (long_one != NULL) {
        memcpy(&reflected, long_one + 4, 8);
    } else if (short_one != NULL) {
        int32_t small;
        memcpy(&small, short_one + 4, 4);
        reflected = small;
    }
    return reflected >= number && ends_run(bytes, length);
}

static bool skip_upgrade(struct client *client)
{
    char *end = memmem(client->bytes, client->length, "\r\n\r\n", 4);
    if (!client->is_upgraded && end != NULL) {
        consume(client, (size_t)(end + 4 - client->bytes));
        client->is_upgraded = true;
    }
    return client->is_upgraded;
}

/* Look at what has come: whether the answer to the client's event is in it. */
static bool is_answered(struct client *client, const struct plan *plan)
{
    if (plan->offset < 0) {
        bool whole = client->length >= (size_t)-plan->offset;
        client->length = whole ? 0 : client->length;
        return whole;
    }
    bool answered = false;
    size_t head, size;
    while (skip_upgrade(client) && (size = frame_size(client, &head)) > 0) {
        answered = answered || reflects(client->bytes + head, size - head, client->number);
        consume(client, size);
    }
    return answered;
}

static void send_event(struct client *client, const struct plan *plan)
{
    client->number++;
    if (plan->offset >= 0) {
        memcpy(plan->event + plan->offset, &client->number, 8);
    }
    client->sent = now();
    send_all(client->fd, plan->event, plan->event_length);
}

static void open_clients(struct client *clients, const struct plan *plan, const char *setup)
{
    size_t length = 0;
    char *bytes = strcmp(setup, "-") != 0 ? read_file(setup, &length) : NULL;
    for (size_t i = 0; i < plan->clients; i++) {
        connect_client(&clients[i], plan->port);
        send_all(clients[i].fd, bytes, length);
        while (bytes != NULL && !is_answered(&clients[i], plan)) {
            receive(&clients[i]);
        }
        clients[i].next = now() + plan->pause * (double)i / (double)plan->clients;
    }
    free(bytes);
}

static void measure(struct client *clients, const struct plan *plan)
{
    struct pollfd *polls = calloc(plan->clients, sizeof *polls);
    size_t sent = 0, answered = 0;
    while (answered < plan->count) {
        double time = now(), soonest = time + 1e6;
        for (size_t i = 0; i < plan->clients; i++) {
            if (clients[i].sent == 0 && clients[i].next <= time && sent < plan->count) {
                send_event(&clients[i], plan);
                sent++;
            }
            if (clients[i].sent == 0 && clients[i].next < soonest) {
                soonest = clients[i].next;
            }
            polls[i] = (struct pollfd){clients[i].fd, POLLIN, 0};
        }
        double wait = soonest > time ? soonest - time : 0;
        struct timespec timeout = {(time_t)(wait / 1e6),
                                   (long)((wait - 1e6 * (double)(time_t)(wait / 1e6)) * 1e3)};
        ppoll(polls, plan->clients, &timeout, NULL);
        for (size_t i = 0; i < plan->clients; i++) {
            if ((polls[i].revents & (POLLIN | POLLHUP)) == 0) {
                continue;
            }
            receive(&clients[i]);
            if (is_answered(&clients[i], plan) && clients[i].sent > 0) {
                printf("%.1f\n", now() - clients[i].sent);
                clients[i].sent = 0;
                clients[i].next = now() + plan->pause;
                answered++;
            }
        }
    }
    free(polls);
}

int main(int count, char **arguments)
{
    if (count != 8) {
        fputs("bench_ping PORT CLIENTS COUNT PAUSE SETUP EVENT OFFSET\n", stderr);
        return 2;
    }
    struct plan plan = {.port = atoi(arguments[1]),
                        .clients = strtoul(arguments[2], NULL, 10),
                        .count = strtoul(arguments[3], NULL, 10),
                        .pause = strtod(arguments[4], NULL),
                        .offset = strtol(arguments[7], NULL, 10)};
    plan.event = read_file(arguments[6], &plan.event_length);
    struct client *clients = calloc(plan.clients, sizeof *clients);
    open_clients(clients, &plan, arguments[5]);
    measure(clients, &plan);
    return 0;
}
