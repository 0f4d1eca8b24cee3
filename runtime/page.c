#include "page.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "host.h"
#include "limits.h"
#include "protocol/message.h"
#include "run/engine.h"
#include "session/registry.h"
#include "session/session.h"

struct page {
    struct host *host;
    struct socket *socket;
    struct session *session; /* NULL until hello was answered */
    struct list waiting;     /* in the host's list, while the old page is asked */
    struct alarm patience;
    uint8_t *hello; /* kept while waiting */
    size_t hello_length;
    struct session *wanted;
};

static struct page *page_of(struct socket *socket)
{
    return socket_data(socket);
}

static size_t send_to_socket(void *data, const uint8_t *bytes, size_t length)
{
    struct page *page = data;
    return socket_send(page->socket, bytes, length, SOCKET_BINARY);
}

static void close_socket(void *data, int code, const char *reason)
{
    struct page *page = data;
    page->session = NULL;
    socket_close(page->socket, code, reason);
}

static void refuse(struct page *page, int code, const char *sentence)
{
    bson_t document;
    bson_init(&document);
    BSON_APPEND_UTF8(&document, "t", "error");
    BSON_APPEND_UTF8(&document, "message", sentence);
    socket_send(page->socket, bson_get_data(&document), document.len, SOCKET_BINARY);
    bson_destroy(&document);
    socket_close(page->socket, code, "see the message before");
}

void page_on_open(void *data, struct socket *socket)
{
    struct page *page = memory_new(sizeof *page);
    page->host = data;
    page->socket = socket;
    list_init(&page->waiting);
    socket_set_data(socket, page);
}

static void attach(struct page *page, struct session *session, const struct message *hello)
{
    struct outlet outlet = {send_to_socket, close_socket, page};
    page->session = session;
    session_attach(session, &outlet, hello);
    host_greet(page->host, session);
}

static void attach_new(struct page *page, const struct message *hello)
{
    struct error error;
    struct session *session = registry_open(page->host->registry, &error);
    if (session == NULL) {
        refuse(page, SOCKET_CODE_TRY_LATER, error.message);
        return;
    }
    attach(page, session, hello);
}

/* ---- a second page with the same secret ---- */

static void stop_waiting(struct page *page)
{
    alarm_clear(&page->host->engine.clock, &page->patience);
    list_remove(&page->waiting);
    free(page->hello);
    page->hello = NULL;
    page->wanted = NULL;
}

/* The old page is gone, or it lives: go on with the session it wanted, or with a new one. */
static void decide(struct page *page, bool take_over)
{
    struct message hello;
    struct session *session = page->wanted;
    uint8_t *bytes = page->hello;
    page->hello = NULL;
    message_decode(bytes, page->hello_length, &hello, NULL);
    stop_waiting(page);
    if (take_over && session != NULL) {
        attach(page, session, &hello);
    } else {
        attach_new(page, &hello);
    }
    free(bytes);
}

static void on_patience(struct alarm *alarm)
{
    decide(list_item(alarm, struct page, patience), true);
}

static void ask_old_page(struct page *page, struct session *session, const uint8_t *bytes,
                         size_t length)
{
    bson_t document;
    bson_init(&document);
    BSON_APPEND_UTF8(&document, "t", "alive");
    session_send_bytes(session, bson_get_data(&document), document.len);
    bson_destroy(&document);
    page->hello = memory_copy(bytes, length);
    page->hello_length = length;
    page->wanted = session;
    list_push_last(&page->host->waiting_pages, &page->waiting);
    alarm_set(&page->host->engine.clock, &page->patience, LIMIT_PAGE_ALIVE_TIME, on_patience);
}

/* Pages that wait for `session`: its page answered (they get new ones) or is gone. */
static void settle_waiting(struct host *host, struct session *session, bool take_over)
{
    list_each_safe (link, after, &host->waiting_pages) {
        struct page *page = list_item(link, struct page, waiting);
        if (page->wanted == session) {
            decide(page, take_over);
            take_over = false; /* the session has one page */
        }
    }
}

/* ---- messages ---- */

static bool is_same_load(const struct session *session, const char *load)
{
    return session_load_number(load) == session->load;
}

static void on_hello(struct page *page, const struct message *hello, const uint8_t *bytes,
                     size_t length)
{
    struct session *session = registry_find(page->host->registry, hello->session);
    if (session == NULL) {
        attach_new(page, hello);
    } else if (session->outlet.send != NULL && !is_same_load(session, hello->load)) {
        ask_old_page(page, session, bytes, length);
    } else {
        attach(page, session, hello);
    }
}

void page_on_message(void *data, struct socket *socket, const uint8_t *bytes, size_t length,
                     bool is_text)
{
    struct host *host = data;
    struct page *page = page_of(socket);
    struct message message;
    struct error error;
    if (is_text) {
        refuse(page, SOCKET_CODE_UNSUPPORTED, "The protocol is binary: send BSON.");
        return;
    }
    if (page->wanted != NULL) {
        return;
    }
    if (!message_decode(bytes, length, &message, &error)) {
        log_write(host->log, LOG_WARNING, "%s: %s", socket_peer(socket), error.message);
        refuse(page, SOCKET_CODE_POLICY, error.message);
        return;
    }
    if (page->session == NULL) {
        if (message.kind != MESSAGE_HELLO) {
            refuse(page, SOCKET_CODE_POLICY, "The first message must be hello.");
            return;
        }
        on_hello(page, &message, bytes, length);
        return;
    }
    if (message.kind == MESSAGE_TAKEN) {
        settle_waiting(host, page->session, false);
        return;
    }
    if (!session_receive(page->session, &message, &error)) {
        log_write(host->log, LOG_WARNING, "session %s: %s", page->session->public_id,
                  error.message);
        refuse(page, SOCKET_CODE_POLICY, error.message);
    }
}

void page_on_drained(void *data, struct socket *socket)
{
    (void)data;
    struct page *page = page_of(socket);
    if (page->session != NULL) {
        session_drained(page->session);
    }
}

void page_on_closed(void *data, struct socket *socket, int code)
{
    (void)code;
    struct host *host = data;
    struct page *page = page_of(socket);
    if (page->wanted != NULL) {
        stop_waiting(page);
    }
    struct session *session = page->session;
    free(page);
    if (session != NULL) {
        session_detach(session);
        settle_waiting(host, session, true);
    }
}
