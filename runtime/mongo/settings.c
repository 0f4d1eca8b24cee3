#include "mongo/settings.h"
#include "base/buffer.h"
#include "base/memory.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The URI as it may be shown: what stands between :// and the last @ of the authority is a
 * user's name and password. */
static void hide_password(const char *uri, char *shown, size_t size)
{
    const char *authority = strstr(uri, "://");
    const char *host = uri;
    if (authority) {
        authority += 3;
        host = authority;
        for (const char *at = authority; *at && *at != '?'; at++) {
            host = *at == '@' ? at + 1 : host;
        }
    }
    const char *options = strchr(host, '?');
    int length = (int)(options ? (size_t)(options - host) : strlen(host));
    int scheme = authority ? (int)(authority - uri) : 0;
    snprintf(shown, size, "%.*s%s%.*s", scheme, uri, host > authority && authority ? "...@" : "",
             length, host);
}

static mongoc_uri_t *parse(const char *text, struct error *error)
{
    char shown[256];
    hide_password(text, shown, sizeof shown);
    if (strncmp(text, "mongodb://", 10) != 0 && strncmp(text, "mongodb+srv://", 14) != 0) {
        error_set(error, ERROR_MISUSE, 0,
                  "\"%s\" is not a database URI; it begins with mongodb:// or mongodb+srv://, as "
                  "in mongodb://localhost:27017/shop",
                  shown);
        return NULL;
    }
    bson_error_t cause = {0};
    mongoc_uri_t *uri = mongoc_uri_new_with_error(text, &cause);
    if (!uri) {
        /* the library's sentence may quote the part that it could not read */
        const char *detail = strchr(text, '@') ? "" : cause.message;
        error_set(error, ERROR_MISUSE, 0, "The database URI \"%s\" cannot be read%s%s", shown,
                  *detail ? ": " : "; check it, and write special characters of a password as %XX",
                  detail);
    }
    return uri;
}

static bool is_known_option(const char *name)
{
    static const char *const texts[] = {"appname",
                                        "authmechanism",
                                        "authmechanismproperties",
                                        "authsource",
                                        "compressors",
                                        "gssapiservicename",
                                        "journal",
                                        "loadbalanced",
                                        "readconcernlevel",
                                        "readpreference",
                                        "readpreferencetags",
                                        "sslcertificateauthorityfile",
                                        "sslclientcertificatekeyfile",
                                        "sslclientcertificatekeypassword",
                                        "replicaset",
                                        "srvservicename",
                                        "tlscafile",
                                        "tlscertificatekeyfile",
                                        "tlscertificatekeyfilepassword",
                                        "w"};
    if (mongoc_uri_option_is_int32(name) || mongoc_uri_option_is_int64(name) ||
        mongoc_uri_option_is_bool(name)) {
        return true;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* libmongoc drops an option that it does not know, with a warning. */
static bool check_options(const char *uri, struct error *error)
{
    const char *at = strchr(uri, '?');
    while (at) {
        char name[64] = "";
        size_t length = strcspn(++at, "=&;");
        for (size_t i = 0; i < length && i + 1 < sizeof name; i++) {
            name[i] = (char)tolower((unsigned char)at[i]);
        }
        if (length && !is_known_option(name)) {
            return error_set(error, ERROR_MISUSE, 0,
                             "The database URI has an unknown option \"%.*s\"; remove it, or look "
                             "for its right spelling",
                             (int)(length < 64 ? length : 64), at);
        }
        at = strpbrk(at, "&;");
    }
    return true;
}

/* Of these, too, libmongoc says at most something in its log. */
static bool check_compressors(const char *uri, const mongoc_uri_t *parsed, struct error *error)
{
    bson_iter_t each;
    unsigned known = 0, given = 1;
    const char *at = strcasestr(uri, "compressors=");
    bson_iter_init(&each, mongoc_uri_get_compressors(parsed));
    while (bson_iter_next(&each)) {
        known++;
    }
    size_t length = at ? strcspn(at, "&;") : 0;
    for (size_t i = 0; i < length; i++) {
        given += at[i] == ',';
    }
    return !at || known == given ||
           error_set(error, ERROR_MISUSE, 0,
                     "The database URI has \"%.*s\"; compressors are snappy, zlib and zstd",
                     (int)length, at);
}

static bool check_numbers(const mongoc_uri_t *uri, struct error *error)
{
    static const char *const names[] = {"maxPoolSize",      "waitQueueTimeoutMS",
                                        "socketTimeoutMS",  "serverSelectionTimeoutMS",
                                        "connectTimeoutMS", "maxIdleTimeMS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (mongoc_uri_get_option_as_int32(uri, names[i], 1) < 0) {
            return error_set(error, ERROR_MISUSE, 0,
                             "The database URI has a %s below 0; it must be a whole number above 0",
                             names[i]);
        }
    }
    return true;
}

static bool check_files(const mongoc_uri_t *uri, struct error *error)
{
    static const char *const names[] = {"tlsCAFile", "tlsCertificateKeyFile"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = mongoc_uri_get_option_as_utf8(uri, names[i], NULL);
        if (path && access(path, R_OK) != 0) {
            return error_set(error, ERROR_MISUSE, 0,
                             "The file \"%s\", the %s of the database URI, cannot be read: %s",
                             path, names[i], strerror(errno));
        }
    }
    return true;
}

/* A time from the URI, or ours put into it. */
static unsigned time_option(mongoc_uri_t *uri, const char *name, unsigned otherwise)
{
    if (!mongoc_uri_has_option(uri, name)) {
        mongoc_uri_set_option_as_int32(uri, name, (int32_t)otherwise);
    }
    int32_t value = mongoc_uri_get_option_as_int32(uri, name, (int32_t)otherwise);
    return value > 0 ? (unsigned)value : otherwise;
}

static char *address_of(const mongoc_uri_t *uri)
{
    struct buffer text;
    buffer_init(&text, 4096);
    const char *service = mongoc_uri_get_srv_hostname(uri);
    if (service) {
        buffer_append_text(&text, service);
    }
    for (const mongoc_host_list_t *host = service ? NULL : mongoc_uri_get_hosts(uri); host;
         host = host->next) {
        buffer_append_format(&text, "%s%s", text.length ? "," : "", host->host_and_port);
    }
    buffer_append(&text, "", 1);
    size_t length;
    return (char *)buffer_take(&text, &length);
}

static void read_compressors(struct settings *settings)
{
    bson_iter_t first;
    settings->compresses =
        bson_iter_init(&first, mongoc_uri_get_compressors(settings->uri)) && bson_iter_next(&first);
}

static void read_tls(struct settings *settings)
{
    const mongoc_uri_t *uri = settings->uri;
    mongoc_ssl_opt_t *tls = &settings->tls_options;
    bool insecure = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSINSECURE, false);
    settings->tls = mongoc_uri_get_tls(uri);
    tls->pem_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, NULL);
    tls->pem_pwd =
        mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL);
    tls->ca_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, NULL);
    tls->weak_cert_validation = insecure || mongoc_uri_get_option_as_bool(
                                                uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, false);
    tls->allow_invalid_hostname =
        insecure || mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, false);
}

static void read_pool(struct settings *settings, const struct mongo_config *config)
{
    unsigned size = config->pool_size ? config->pool_size : LIMIT_MONGO_POOL;
    int32_t asked =
        mongoc_uri_get_option_as_int32(settings->uri, MONGOC_URI_MAXPOOLSIZE, (int32_t)size);
    size = asked > 0 ? (unsigned)asked : size;
    settings->pool_size = size < LIMIT_MONGO_POOL_HIGHEST ? size : LIMIT_MONGO_POOL_HIGHEST;
    settings->queue_time =
        time_option(settings->uri, MONGOC_URI_WAITQUEUETIMEOUTMS, LIMIT_MONGO_QUEUE_TIME);
}

/* Retries are ours (they look at the cancel flag, and know the numbers that they gave), so the
 * library's are switched off after its switches were read. */
static void read_retries(struct settings *settings)
{
    mongoc_uri_t *uri = settings->uri;
    settings->retry_reads = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYREADS, true);
    settings->retry_writes = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true);
    settings->acknowledged =
        mongoc_write_concern_is_acknowledged(mongoc_uri_get_write_concern(uri));
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
}

static void read_times(struct settings *settings, const struct mongo_config *config)
{
    unsigned socket_time =
        config->run_time ? config->run_time + LIMIT_MONGO_SOCKET_MARGIN : LIMIT_MONGO_SOCKET_TIME;
    time_option(settings->uri, MONGOC_URI_SOCKETTIMEOUTMS, socket_time);
    settings->selection_time =
        time_option(settings->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, LIMIT_MONGO_SELECTION_TIME);
    settings->connect_time =
        time_option(settings->uri, MONGOC_URI_CONNECTTIMEOUTMS, LIMIT_MONGO_CONNECT_TIME);
    settings->idle_time =
        time_option(settings->uri, MONGOC_URI_MAXIDLETIMEMS, LIMIT_MONGO_IDLE_TIME);
}

static void make_control_uri(struct settings *settings)
{
    static const char *const times[] = {MONGOC_URI_SOCKETTIMEOUTMS, MONGOC_URI_CONNECTTIMEOUTMS,
                                        MONGOC_URI_SERVERSELECTIONTIMEOUTMS};
    settings->control_uri = mongoc_uri_copy(settings->uri);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        mongoc_uri_set_option_as_int32(settings->control_uri, times[i], LIMIT_MONGO_KILL_TIME);
    }
}

bool settings_init(struct settings *settings, const struct mongo_config *config,
                   struct error *error)
{
    *settings = (struct settings){0};
    settings->uri = parse(config->uri, error);
    if (!settings->uri || !check_options(config->uri, error) ||
        !check_compressors(config->uri, settings->uri, error) ||
        !check_numbers(settings->uri, error) || !check_files(settings->uri, error)) {
        settings_deinit(settings);
        return false;
    }
    if (config->app_name && !mongoc_uri_has_option(settings->uri, MONGOC_URI_APPNAME)) {
        mongoc_uri_set_appname(settings->uri, config->app_name);
    }
    read_pool(settings, config);
    read_times(settings, config);
    read_retries(settings);
    read_compressors(settings);
    read_tls(settings);
    settings->reads_from_primary =
        mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(settings->uri)) ==
        MONGOC_READ_PRIMARY;
    settings->address = address_of(settings->uri);
    const char *database = mongoc_uri_get_database(settings->uri);
    settings->database = memory_copy_text(database && *database ? database : "test");
    make_control_uri(settings);
    return true;
}

void settings_deinit(struct settings *settings)
{
    if (settings->uri) {
        mongoc_uri_destroy(settings->uri);
    }
    if (settings->control_uri) {
        mongoc_uri_destroy(settings->control_uri);
    }
    free(settings->address);
    free(settings->database);
    *settings = (struct settings){0};
}
