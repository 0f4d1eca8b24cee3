/*
 * Every maximum of the house. docs/limits.md is made from this file: one #define a line, with
 * the words behind it. Sizes are bytes, times are milliseconds, unless the words say otherwise.
 */
#ifndef MOONLIT_LIMITS_H
#define MOONLIT_LIMITS_H

/* clang-format off */

/* ## Network */
#define LIMIT_HTTP_HEAD (16 * 1024)            /* head of a request */
#define LIMIT_HTTP_HEAD_TIME 10000             /* from the first byte of a head to its last */
#define LIMIT_HTTP_IDLE_TIME 60000             /* a kept-alive connection without a request */
#define LIMIT_HTTP_CONNECTIONS 10000           /* connections of one process */
#define LIMIT_SOCKET_MESSAGE (1024 * 1024)     /* one message from the browser */
#define LIMIT_SOCKET_QUEUE_SOFT (1024 * 1024)  /* unsent bytes above which patches wait */
#define LIMIT_SOCKET_QUEUE_HARD (64 * 1024 * 1024) /* unsent bytes above which a socket is closed: twice the largest patch */
#define LIMIT_SOCKET_PING_TIME 25000           /* silence before a ping */
#define LIMIT_SOCKET_DEAD_TIME 60000           /* silence before a socket is cut */
#define LIMIT_SOCKET_CLOSE_TIME 5000           /* wait for the answer to a Close frame */
#define LIMIT_HTTP_FIELDS 100                  /* header lines of a request */
#define LIMIT_HTTP_STALL_TIME 30000            /* unsent bytes of which the browser takes nothing */
#define LIMIT_HTTP_LINGER_TIME 2000            /* reading on behind a last response, so that it arrives */
#define LIMIT_ALLOW_HOSTS 16                   /* further names of the host: --allow-host */
#define LIMIT_HTTP_BACKLOG 511                 /* connections the kernel holds for us */

/* ## Documents */
#define LIMIT_DOCUMENT (16 * 1024 * 1024)      /* one BSON document */
#define LIMIT_DOCUMENT_DEPTH 100               /* nesting of one BSON document */
#define LIMIT_COMMAND (LIMIT_DOCUMENT + 16 * 1024) /* one command to the database */
#define LIMIT_REPLY_DEPTH 120                  /* nesting of a reply: documents within its own levels */
#define LIMIT_INSERT_BATCH 10000               /* documents in one insert command */

/* ## Runs */
#define LIMIT_RUN_CPU 10000                    /* Lua time of one run; --cpu-limit */
#define LIMIT_RUN_WALL 120000                  /* a run from start to end; --wall-limit */
#define LIMIT_RUN_MEMORY (128 * 1024 * 1024)   /* growth of the Lua heap by one run; --memory-limit */
#define LIMIT_RUN_MEMORY_REFUSED 8             /* times --memory-limit: growth that the allocator refuses, where a script could not be stopped before */
#define LIMIT_RUN_SLICE 5                      /* Lua time in one go, before others get their turn */
#define LIMIT_RUN_UNYIELDABLE 50               /* Lua time in one go where a coroutine cannot yield */
#define LIMIT_RUN_COLLECT 2                    /* collecting garbage for a run in one go, when its memory gets scarce */
#define LIMIT_RUN_PRINT (1024 * 1024)          /* bytes that one run may print */
#define LIMIT_RUN_RERUNS 100                   /* ui.rerun() in a row without a new event */
#define LIMIT_RUN_BRANCHES 256                 /* branches of one run: ui.together, ui.timeout */
#define LIMIT_RUN_PRESS_TIME 30000             /* an unreceived press while newer events wait; --press-limit */
#define LIMIT_RUN_STOP_TIME 2000               /* Stop waits so long for a write under way */
#define LIMIT_ONCE 10000                       /* names of ui.once, whose results are kept */
#define LIMIT_COROUTINE_POOL 64                /* coroutines kept for the next runs */
#define LIMIT_SUPERSEDE_TIME 200               /* a view runs so long before a value supersedes it */
#define LIMIT_SUPERSEDE_TIME_MAX 10000         /* ... doubled at each superseding up to this */
#define LIMIT_STATE_SPARE (1024 * 1024)        /* small blocks of the Lua heap that are kept for the next ones */
#define LIMIT_WATCHDOG_TIME 30000              /* the loop stuck for so long ends the process with 70 */

/* ## The page */
#define LIMIT_PAGE_ELEMENTS 20000              /* elements of one page */
#define LIMIT_PAGE_DRAWS (4 * LIMIT_PAGE_ELEMENTS) /* elements drawn, emptied or removed without a wait */
#define LIMIT_PAGE_BYTES (8 * 1024 * 1024)     /* what they show, as BSON */
#define LIMIT_PATCH (32 * 1024 * 1024)         /* one difference, or a whole page */
#define LIMIT_ELEMENT_DEPTH 64                 /* containers in each other */
#define LIMIT_WIDGETS 20000                    /* widgets that one session remembers; those hidden longest are forgotten */
#define LIMIT_WIDGET_VALUE (1024 * 1024)       /* the value of one widget */
#define LIMIT_WIDGET_KEY 1024                  /* an element's key */

/* ## Sessions */
#define LIMIT_LOG_LINE 4096                    /* one line of the log */
#define LIMIT_LOG_WAIT 100                     /* wait for whoever reads the log, before lines are dropped */
#define LIMIT_SESSIONS 10000                   /* sessions of one process; --session-limit */
#define LIMIT_STATE (16 * 1024 * 1024)         /* what ui.state of a session holds, as BSON; widgets' values are their own */
#define LIMIT_SESSION_IDLE_TIME 600000         /* a session without a socket; --session-timeout */
#define LIMIT_PAGE_ALIVE_TIME 1000             /* wait for the old page of a session that a second one presents */
#define LIMIT_EVENTS 1024                      /* events in a session's queue */
#define LIMIT_EVENTS_BYTES (16 * 1024 * 1024)  /* ... and what the values in them take */
#define LIMIT_EVENT_VALUES 1024                /* values in one event */
#define LIMIT_MESSAGE_DEPTH 8                  /* nesting of a message from the browser */
#define LIMIT_EVENT_TEXT 4096                   /* a text field of a message that is not a value */
#define LIMIT_FRAMES_KEPT (64 * 1024)          /* sent patches kept for a reconnect, a session */
#define LIMIT_FRAME_KEPT_TIME 10000            /* ... and for so long */
#define LIMIT_SHUTDOWN_DRAIN_TIME 300          /* shutdown waits so long for requests and Close answers */
#define LIMIT_METRICS (64 * 1024)              /* the text of /_moonlit/metrics */
#define LIMIT_SHUTDOWN_WRITE_TIME 1000         /* shutdown waits so long for writes under way */

/* ## Worker threads and the database */
#define LIMIT_WORKER_IDLE_TIME 10000           /* a thread without work ends */
#define LIMIT_WORKER_STACK (1024 * 1024)       /* stack of a worker thread */
#define LIMIT_MONGO_POOL 100                   /* clients of one database, when the URI has no maxPoolSize */
#define LIMIT_MONGO_POOL_HIGHEST 1000          /* the largest maxPoolSize that is obeyed */
#define LIMIT_MONGO_QUEUE 10000                /* requests that wait for a client */
#define LIMIT_MONGO_QUEUE_TIME 10000           /* a request waits for a client: waitQueueTimeoutMS */
#define LIMIT_MONGO_SELECTION_TIME 5000        /* looking for the server: serverSelectionTimeoutMS */
#define LIMIT_MONGO_CONNECT_TIME 5000          /* one connection: connectTimeoutMS */
#define LIMIT_MONGO_SOCKET_TIME 130000         /* silence in a call: socketTimeoutMS, when no run limit is given */
#define LIMIT_MONGO_SOCKET_MARGIN 10000        /* silence in a call beyond the wall limit of a run */
#define LIMIT_MONGO_IDLE_TIME 60000            /* a client without work is closed: maxIdleTimeMS */
#define LIMIT_MONGO_KILL_TIME 1000             /* killSessions must be answered */
#define LIMIT_MONGO_KILLED_TIME 500            /* a killed call must return, or its socket is cut */
#define LIMIT_MONGO_STOP_TIME 150              /* saying goodbye to the server at the end */
#define LIMIT_MONGO_REPETITIONS 2              /* of a call that failed in a way that may pass */
#define LIMIT_MONGO_MESSAGE (48 * 1000 * 1000) /* one message from the server */
#define LIMIT_MONGO_LABELS 8                   /* labels kept of one error */

/* ## Scripts */
#define LIMIT_SCRIPT (1024 * 1024)             /* source of one script or module */
#define LIMIT_SCRIPT_REWRITTEN (16 * 1024 * 1024) /* ... with what the rewriter adds */
#define LIMIT_SCRIPT_NESTING 200               /* blocks, functions and brackets in one another */
#define LIMIT_WORK_UNSEEN 65536                /* bytes that a library function goes through without a look at the clock */
#define LIMIT_PATTERN_STEPS 1000000            /* steps of one pattern match */
#define LIMIT_PATTERN_STEPS_BYTE 32            /* ... and so many more for each byte searched */
#define LIMIT_PATTERN_PIECE 50000              /* steps after which a search looks at the clock */
#define LIMIT_PATTERN_CALL 10000000            /* ... and the most without a look at it: one place of a long text */
#define LIMIT_STRING (64 * 1024 * 1024)        /* result of string.rep */
#define LIMIT_SCRIPT_FILES 1000                /* files of one app, those it looked for in vain included */
#define LIMIT_PROBLEM (16 * 1024)              /* what a page is told of a script that does not compile */
#define LIMIT_WATCH_QUIET_TIME 60              /* quiet after a change before the app is reloaded */
#define LIMIT_WATCH_TIME 500                   /* ... or this long after the first, if it is never quiet */
#define LIMIT_WATCH_LINKS 16                   /* links in a row on the way to a file */

/* ## The built-in store */
#define LIMIT_STORE_MESSAGE 48000000           /* one message of a client */
#define LIMIT_STORE_MESSAGE_DEPTH 110          /* nesting of a message: a document and what is around it */
#define LIMIT_STORE_SECTIONS 64                /* document sequences of one message */
#define LIMIT_STORE_CONNECTIONS 256            /* connections of one store */
#define LIMIT_STORE_BATCH 100000               /* writes in one command */
#define LIMIT_STORE_SLICE 5                    /* work on one command in one go, before others get their turn */
#define LIMIT_STORE_STEADY 30000               /* one change, during which nobody gets a turn */
#define LIMIT_STORE_WAL (16 * 1024 * 1024)     /* write-ahead log above which it is moved at once */
#define LIMIT_STORE_WAL_TIME 1000              /* ... and so long after a change otherwise */
#define LIMIT_STORE_CURSORS 1000               /* cursors open at one time */
#define LIMIT_STORE_CURSOR_TIME 600000         /* a cursor that nobody asks */
#define LIMIT_STORE_SESSION_TIME 1800000       /* a session that nobody uses, and its remembered replies */
#define LIMIT_STORE_INDEXES 64                 /* indexes of one collection */
#define LIMIT_STORE_SORT (100 * 1024 * 1024)   /* memory of one sort or group */
#define LIMIT_STORE_HEAP (1024 * 1024 * 1024)  /* heap of the store's Lua, all commands together */
#define LIMIT_STORE_REGEX_STEPS 1000000        /* steps of one regular expression's match */
#define LIMIT_STORE_REGEX_STACK 8388608        /* ... and bytes of its stack */
#define LIMIT_STORE_LOCK_TIME 5000             /* wait for a folder that another store still holds */
#define LIMIT_STORE_LOCK_STEP 10               /* ... looking so often */
#define LIMIT_STORE_STOP_TIME 500              /* the store process must end, or is killed */
#define LIMIT_STORE_RESTART_TIME 10            /* pause before a store that died is started again */
#define LIMIT_STORE_RESTART_TIME_MAX 5000      /* ... doubled at each early death up to this */
#define LIMIT_STORE_OWNER_STEP 100             /* a host that joined looks so often whether the owner lives */
#define LIMIT_STORE_BACKLOG 128                /* connections that wait while a new store process starts */
#define LIMIT_STORE_FAILURES 5                 /* early deaths in a row before the log says so */

#endif
