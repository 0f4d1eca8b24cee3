/*
 * The limit that events are measured against: a bare libuv server on TCP that answers every
 * REQUEST bytes with REPLY bytes, and does nothing else.
 *
 *   bench_echo REQUEST REPLY      prints its port; ends with its standard input
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct echo {
    size_t request;
    size_t reply;
    char *bytes; /* the reply */
};

struct client {
    uv_tcp_t tcp;
    struct echo *echo;
    size_t have; /* bytes of the request now arriving */
    char block[65536];
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)size;
    struct client *client = handle->data;
    *buffer = uv_buf_init(client->block, sizeof client->block);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void answer(struct client *client)
{
    uv_buf_t buffer = uv_buf_init(client->echo->bytes, (unsigned)client->echo->reply);
    if (uv_try_write((uv_stream_t *)&client->tcp, &buffer, 1) < 0) {
        uv_write(malloc(sizeof(uv_write_t)), (uv_stream_t *)&client->tcp, &buffer, 1, on_written);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    struct client *client = stream->data;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    client->have += (size_t)count;
    while (client->have >= client->echo->request) {
        client->have -= client->echo->request;
        answer(client);
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    (void)status;
    struct client *client = calloc(1, sizeof *client);
    client->echo = server->data;
    uv_tcp_init(server->loop, &client->tcp);
    client->tcp.data = client;
    uv_accept(server, (uv_stream_t *)&client->tcp);
    uv_tcp_nodelay(&client->tcp, 1);
    uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
}

static void on_parent_gone(uv_poll_t *poll, int status, int events)
{
    char byte;
    (void)status;
    (void)events;
    if (fread(&byte, 1, 1, stdin) == 0) {
        uv_stop(poll->loop);
    }
}

static void print_port(uv_tcp_t *server)
{
    struct sockaddr_in address;
    int length = sizeof address;
    uv_tcp_getsockname(server, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fputs("bench_echo REQUEST REPLY\n", stderr);
        return 2;
    }
    struct echo echo = {strtoul(arguments[1], NULL, 10), strtoul(arguments[2], NULL, 10), NULL};
    echo.bytes = calloc(1, echo.reply);
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t server;
    uv_poll_t parent;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server);
    server.data = &echo;
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    uv_listen((uv_stream_t *)&server, 128, on_connection);
    uv_poll_init(loop, &parent, 0);
    uv_poll_start(&parent, UV_READABLE, on_parent_gone);
    print_port(&server);
    uv_run(loop, UV_RUN_DEFAULT);
    free(echo.bytes);
    return 0;
}
