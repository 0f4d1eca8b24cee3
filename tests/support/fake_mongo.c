#include "fake_mongo.h"
#include "garble.h"
#include <bson/bson.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 8192, MAX_DONE = 4096 };

struct done_write {
    uint8_t lsid[16];
    int64_t number;
};

struct fake_mongo {
    int listener;
    char path[100];
    char uri[200];
    char address[150];
    pthread_t acceptor;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t change;
    struct fake_options options;
    struct fake_numbers numbers;
    bool hold_kills;
    bool stopping;
    uint64_t replies;
    int release_round;
    int fds[MAX_CONNECTIONS]; /* -1: closed */
    pthread_t threads[MAX_CONNECTIONS];
    uint8_t killed[MAX_DONE][16]; /* sessions, with the moment: */
    int kill_count;
    struct done_write done[MAX_DONE];
    int done_count;
    int cursor_batches[MAX_DONE]; /* left, by cursor id */
    int cursor_count;
};

struct connection {
    struct fake_mongo *fake;
    int index;
    int fd;
};

/* ---- bytes ----------------------------------------------------------------------------------- */

static bool read_all(int fd, void *bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = recv(fd, (char *)bytes + got, length - got, 0);
        if (n <= 0) {
            return false;
        }
        got += (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        sent += (size_t)n;
    }
    return true;
}

struct header {
    int32_t length, id, response_to, opcode;
};

/* How an answer is spoiled. */
enum spoiling { WHOLE, CUT_IN_HALF, GARBLED_BYTES, GARBLED_DOCUMENT };

static bool answer(int fd, const struct header *request, const bson_t *reply,
                   enum spoiling spoiling, uint64_t *seed)
{
    uint8_t buffer[64 * 1024];
    struct header header = {.response_to = request->id,
                            .opcode = request->opcode == 2004 ? 1 : 2013};
    size_t extra = request->opcode == 2004 ? 20 : 5;
    memset(buffer, 0, sizeof header + extra);
    if (request->opcode == 2004) { /* flags, cursor id, starting from, one document */
        int32_t one = 1;
        memcpy(buffer + sizeof header + 16, &one, 4);
    }
    memcpy(buffer + sizeof header + extra, bson_get_data(reply), reply->len);
    header.length = (int32_t)(sizeof header + extra + reply->len);
    memcpy(buffer, &header, sizeof header);
    size_t length = (size_t)header.length;
    size_t sent = spoiling == GARBLED_BYTES ? garble(buffer, length, seed)
                  : spoiling == CUT_IN_HALF ? length / 2
                                            : length;
    return write_all(fd, buffer, sent) && sent == length;
}

/* ---- looking into commands ------------------------------------------------------------------- */

static int number_at(const bson_t *command, const char *path)
{
    bson_iter_t top, field;
    return bson_iter_init(&top, command) && bson_iter_find_descendant(&top, path, &field)
               ? (int)bson_iter_as_int64(&field)
               : 0;
}

static bool session_of(const bson_t *command, uint8_t lsid[16])
{
    bson_iter_t top, field;
    bson_subtype_t subtype;
    uint32_t length;
    const uint8_t *bytes;
    memset(lsid, 0, 16);
    if (!bson_iter_init(&top, command) || !bson_iter_find_descendant(&top, "lsid.id", &field)) {
        return false;
    }
    bson_iter_binary(&field, &subtype, &length, &bytes);
    memcpy(lsid, bytes, 16);
    return true;
}

static void append_cursor(bson_t *reply, int64_t id, const char *batch)
{
    bson_t cursor, documents, one = BSON_INITIALIZER;
    BSON_APPEND_DOCUMENT_BEGIN(reply, "cursor", &cursor);
    BSON_APPEND_ARRAY_BEGIN(&cursor, batch, &documents);
    BSON_APPEND_INT32(&one, "n", 1);
    BSON_APPEND_DOCUMENT(&documents, "0", &one);
    bson_append_array_end(&cursor, &documents);
    BSON_APPEND_INT64(&cursor, "id", id);
    BSON_APPEND_UTF8(&cursor, "ns", "test.things");
    bson_append_document_end(reply, &cursor);
    BSON_APPEND_DOUBLE(reply, "ok", 1);
    bson_destroy(&one);
}

static void append_error(bson_t *reply, int code, const char *name, const char *label)
{
    BSON_APPEND_DOUBLE(reply, "ok", 0);
    BSON_APPEND_INT32(reply, "code", code);
    BSON_APPEND_UTF8(reply, "codeName", name);
    BSON_APPEND_UTF8(reply, "errmsg", "a planned error");
    if (label) {
        bson_t labels;
        BSON_APPEND_ARRAY_BEGIN(reply, "errorLabels", &labels);
        BSON_APPEND_UTF8(&labels, "0", label);
        bson_append_array_end(reply, &labels);
    }
}

/* ---- commands; each with the lock held. False: close the connection without an answer -------- */

static bool do_hello(struct fake_mongo *fake, bson_t *reply)
{
    if (fake->options.close_on_hello > 0) {
        fake->options.close_on_hello--;
        return false;
    }
    BSON_APPEND_BOOL(reply, "ismaster", true);
    BSON_APPEND_BOOL(reply, "isWritablePrimary", true);
    BSON_APPEND_INT32(reply, "maxWireVersion", 17);
    BSON_APPEND_INT32(reply, "minWireVersion", 0);
    BSON_APPEND_INT32(reply, "maxBsonObjectSize", 16777216);
    BSON_APPEND_INT32(reply, "maxMessageSizeBytes", 48000000);
    BSON_APPEND_INT32(reply, "maxWriteBatchSize", 100000);
    if (!fake->options.no_sessions) {
        BSON_APPEND_INT32(reply, "logicalSessionTimeoutMinutes", 30);
    }
    if (!fake->options.standalone) {
        bson_t hosts;
        BSON_APPEND_UTF8(reply, "setName", "fake");
        BSON_APPEND_UTF8(reply, "me", fake->address);
        BSON_APPEND_ARRAY_BEGIN(reply, "hosts", &hosts);
        BSON_APPEND_UTF8(&hosts, "0", fake->address);
        bson_append_array_end(reply, &hosts);
    }
    BSON_APPEND_DOUBLE(reply, "ok", 1);
    return true;
}

static bool was_killed(struct fake_mongo *fake, const uint8_t lsid[16], int since)
{
    for (int i = since; i < fake->kill_count; i++) {
        if (memcmp(fake->killed[i % MAX_DONE], lsid, 16) == 0) {
            return true;
        }
    }
    return false;
}

static bool do_blocking_find(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    uint8_t lsid[16];
    session_of(command, lsid);
    int since = fake->kill_count, round = fake->release_round;
    fake->numbers.blocked++;
    while (!fake->stopping && round == fake->release_round && !was_killed(fake, lsid, since)) {
        pthread_cond_wait(&fake->change, &fake->lock);
    }
    fake->numbers.blocked--;
    if (was_killed(fake, lsid, since)) {
        fake->numbers.finds_killed++;
        append_error(reply, 11601, "Interrupted", NULL);
    } else {
        append_cursor(reply, 0, "firstBatch");
    }
    return true;
}

static bool do_find(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    fake->numbers.finds++;
    fake->numbers.finds_before_kill_answered += fake->hold_kills;
    if (fake->options.close_on_find > 0) {
        fake->options.close_on_find--;
        return false;
    }
    if (number_at(command, "filter.block")) {
        return do_blocking_find(fake, command, reply);
    }
    if (number_at(command, "filter.fail")) {
        append_error(reply, number_at(command, "filter.fail"), "PlannedError", "APlannedLabel");
        return true;
    }
    int batches = number_at(command, "filter.batches");
    int64_t id = 0;
    if (batches > 1) {
        fake->cursor_batches[fake->cursor_count % MAX_DONE] = batches - 1;
        id = ++fake->cursor_count;
    }
    append_cursor(reply, id, "firstBatch");
    return true;
}

static bool do_get_more(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    int id = number_at(command, "getMore");
    int *left = &fake->cursor_batches[(id - 1) % MAX_DONE];
    fake->numbers.get_mores++;
    append_cursor(reply, --*left > 0 ? id : 0, "nextBatch");
    return true;
}

static bool is_repeated(struct fake_mongo *fake, const bson_t *command)
{
    struct done_write write = {.number = number_at(command, "txnNumber")};
    if (!write.number) {
        return false;
    }
    fake->numbers.numbered_inserts++;
    session_of(command, write.lsid);
    for (int i = 0; i < fake->done_count; i++) {
        if (memcmp(&fake->done[i], &write, sizeof write) == 0) {
            return true;
        }
    }
    fake->done[fake->done_count++ % MAX_DONE] = write;
    return false;
}

static bool do_insert(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    fake->numbers.insert_commands++;
    if (fake->options.refuse_inserts > 0) {
        fake->options.refuse_inserts--;
        append_error(reply, 10107, "NotWritablePrimary", "RetryableWriteError");
        return true;
    }
    fake->numbers.inserts += !is_repeated(fake, command);
    if (fake->options.close_on_insert > 0) {
        fake->options.close_on_insert--;
        return false;
    }
    BSON_APPEND_INT32(reply, "n", 1);
    BSON_APPEND_DOUBLE(reply, "ok", 1);
    return true;
}

static void note_killed(struct fake_mongo *fake, const bson_t *command)
{
    bson_iter_t array, each, id;
    int count = 0;
    bson_iter_init_find(&array, command, "killSessions");
    bson_iter_recurse(&array, &each);
    while (bson_iter_next(&each)) {
        bson_subtype_t subtype;
        uint32_t length;
        const uint8_t *bytes;
        bson_iter_recurse(&each, &id);
        bson_iter_find(&id, "id");
        bson_iter_binary(&id, &subtype, &length, &bytes);
        if (!fake->options.deaf_to_kill) {
            memcpy(fake->killed[fake->kill_count++ % MAX_DONE], bytes, 16);
        }
        count++;
    }
    fake->numbers.killed_sessions += count;
    fake->numbers.most_killed =
        count > fake->numbers.most_killed ? count : fake->numbers.most_killed;
    pthread_cond_broadcast(&fake->change);
}

static bool do_kill_sessions(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    fake->numbers.kill_commands++;
    note_killed(fake, command);
    while (!fake->stopping && (fake->hold_kills || fake->options.mute_on_kill)) {
        pthread_cond_wait(&fake->change, &fake->lock);
    }
    BSON_APPEND_DOUBLE(reply, "ok", 1);
    return true;
}

static bool do_command(struct fake_mongo *fake, const bson_t *command, bson_t *reply)
{
    bson_iter_t first;
    bson_iter_init(&first, command);
    bson_iter_next(&first);
    const char *name = bson_iter_key(&first);
    if (number_at(command, "maxTimeMS")) {
        fake->numbers.max_time_ms = number_at(command, "maxTimeMS");
    }
    if (strcmp(name, "find") != 0 && strcmp(name, "insert") != 0) {
        fake->numbers.concerns +=
            bson_has_field(command, "readConcern") || bson_has_field(command, "writeConcern");
    }
    if (!strcasecmp(name, "hello") || !strcasecmp(name, "ismaster")) {
        return do_hello(fake, reply);
    }
    if (!strcmp(name, "find")) {
        return do_find(fake, command, reply);
    }
    if (!strcmp(name, "getMore")) {
        return do_get_more(fake, command, reply);
    }
    if (!strcmp(name, "insert")) {
        return do_insert(fake, command, reply);
    }
    if (!strcmp(name, "killSessions")) {
        return do_kill_sessions(fake, command, reply);
    }
    fake->numbers.killed_cursors += !strcmp(name, "killCursors");
    fake->numbers.end_sessions += !strcmp(name, "endSessions");
    BSON_APPEND_DOUBLE(reply, "ok", 1);
    return true;
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The body: of OP_MSG after the flags (kind 0; document sequences are not sent by our client), of
 * OP_QUERY after flags, name, skip and limit. */
static bool find_body(const struct header *header, const uint8_t *bytes, size_t length,
                      bson_t *body)
{
    size_t at = 5;
    if (header->opcode == 2004) {
        at = 4 + strlen((const char *)bytes + 4) + 1 + 8;
    }
    uint32_t size;
    memcpy(&size, bytes + at, 4);
    return at + size <= length && bson_init_static(body, bytes + at, size);
}

static enum spoiling spoiling_of(struct fake_mongo *fake, const bson_t *command, uint64_t *seed)
{
    *seed = ++fake->replies * 0x9e3779b97f4a7c15u;
    garble_random(seed);
    if (fake->options.garbled && garble_random(seed) % (unsigned)fake->options.garbled == 0) {
        return garble_random(seed) % 2 ? GARBLED_DOCUMENT : GARBLED_BYTES;
    }
    if (fake->options.cut_finds > 0 && bson_has_field(command, "find")) {
        fake->options.cut_finds--;
        return CUT_IN_HALF;
    }
    return WHOLE;
}

static bool serve_one(struct connection *connection)
{
    struct fake_mongo *fake = connection->fake;
    uint64_t seed;
    struct header header;
    if (!read_all(connection->fd, &header, sizeof header)) {
        return false;
    }
    size_t length = (size_t)header.length - sizeof header;
    uint8_t *bytes = malloc(length);
    bson_t command, reply = BSON_INITIALIZER;
    bool go_on = read_all(connection->fd, bytes, length);
    pthread_mutex_lock(&fake->lock);
    while (go_on && fake->options.silent && !fake->stopping) {
        pthread_cond_wait(&fake->change, &fake->lock);
    }
    go_on = go_on && !fake->stopping && find_body(&header, bytes, length, &command) &&
            do_command(fake, &command, &reply);
    enum spoiling spoiling = go_on ? spoiling_of(fake, &command, &seed) : WHOLE;
    pthread_mutex_unlock(&fake->lock);
    if (spoiling == GARBLED_DOCUMENT) {
        garble_document(&reply, &seed);
    }
    go_on = go_on && answer(connection->fd, &header, &reply, spoiling, &seed);
    bson_destroy(&reply);
    free(bytes);
    return go_on;
}

static void *serve(void *data)
{
    struct connection *connection = data;
    struct fake_mongo *fake = connection->fake;
    while (serve_one(connection)) {
    }
    pthread_mutex_lock(&fake->lock);
    fake->numbers.open--;
    close(connection->fd);
    fake->fds[connection->index] = -1;
    pthread_mutex_unlock(&fake->lock);
    free(connection);
    return NULL;
}

static void *accept_all(void *data)
{
    struct fake_mongo *fake = data;
    int fd;
    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        pthread_mutex_lock(&fake->lock);
        *connection = (struct connection){fake, fake->numbers.connections++, fd};
        fake->numbers.open++;
        fake->fds[connection->index] = fd;
        pthread_create(&fake->threads[connection->index], NULL, serve, connection);
        pthread_mutex_unlock(&fake->lock);
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void listen_on_unix(struct fake_mongo *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(fake->path, sizeof fake->path, "/tmp/fake-mongo-%d-%p.sock", (int)getpid(),
             (void *)fake);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", fake->path);
    unlink(fake->path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fake->listener, (struct sockaddr *)&address, sizeof address);
    snprintf(fake->address, sizeof fake->address, "%s", fake->path);
    snprintf(fake->uri, sizeof fake->uri, "mongodb://%%2Ftmp%%2F%s/test", fake->path + 5);
}

static void listen_on_tcp(struct fake_mongo *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(fake->listener, (struct sockaddr *)&address, sizeof address);
    getsockname(fake->listener, (struct sockaddr *)&address, &length);
    snprintf(fake->address, sizeof fake->address, "127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(fake->uri, sizeof fake->uri, "mongodb://%s/test", fake->address);
}

struct fake_mongo *fake_mongo_new(bool on_unix_socket)
{
    struct fake_mongo *fake = calloc(1, sizeof *fake);
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->change, NULL);
    if (on_unix_socket) {
        listen_on_unix(fake);
    } else {
        listen_on_tcp(fake);
    }
    listen(fake->listener, 512);
    pthread_create(&fake->acceptor, NULL, accept_all, fake);
    return fake;
}

void fake_mongo_free(struct fake_mongo *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->stopping = true;
    pthread_cond_broadcast(&fake->change);
    pthread_mutex_unlock(&fake->lock);
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->acceptor, NULL);
    fake_mongo_disconnect_all(fake);
    for (int i = 0; i < fake->numbers.connections; i++) {
        pthread_join(fake->threads[i], NULL);
    }
    close(fake->listener);
    if (*fake->path) {
        unlink(fake->path);
    }
    pthread_cond_destroy(&fake->change);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

const char *fake_mongo_uri(const struct fake_mongo *fake)
{
    return fake->uri;
}

void fake_mongo_set(struct fake_mongo *fake, struct fake_options options)
{
    pthread_mutex_lock(&fake->lock);
    fake->options = options;
    pthread_cond_broadcast(&fake->change);
    pthread_mutex_unlock(&fake->lock);
}

void fake_mongo_hold_kills(struct fake_mongo *fake, bool hold)
{
    pthread_mutex_lock(&fake->lock);
    fake->hold_kills = hold;
    pthread_cond_broadcast(&fake->change);
    pthread_mutex_unlock(&fake->lock);
}

void fake_mongo_release(struct fake_mongo *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->release_round++;
    pthread_cond_broadcast(&fake->change);
    pthread_mutex_unlock(&fake->lock);
}

void fake_mongo_disconnect_all(struct fake_mongo *fake)
{
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < fake->numbers.connections; i++) {
        if (fake->fds[i] >= 0) {
            shutdown(fake->fds[i], SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&fake->lock);
}

struct fake_numbers fake_mongo_numbers(struct fake_mongo *fake)
{
    pthread_mutex_lock(&fake->lock);
    struct fake_numbers numbers = fake->numbers;
    pthread_mutex_unlock(&fake->lock);
    return numbers;
}
