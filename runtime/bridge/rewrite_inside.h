/*
 * Inside the rewriter: what the grammar (rewrite.c) and the marks (rewrite_marks.c) share.
 *
 * The grammar reads the source once, from left to right. Wherever something may have to be put in
 * it reserves a slot; what is known only later (does the condition contain a call? where is the
 * local tested last?) fills slots reserved earlier. So the slots are in the order of the source,
 * and slots at one place in the order in which their statements nest.
 */
#ifndef MOONLIT_BRIDGE_REWRITE_INSIDE_H
#define MOONLIT_BRIDGE_REWRITE_INSIDE_H

#include <stdint.h>

#include "bridge/rewrite.h"
#include "bridge/token.h"

enum { NAME_BUCKETS = 512, NONE = -1 };

/* A place where text may be put in. */
struct slot {
    size_t offset; /* in the source */
    size_t text;   /* in the texts */
    size_t length; /* 0: nothing is put in */
};

/* The part of the source in which hold `number` may be open: a branch of an if, or a local's. */
struct range {
    int number; /* _ml_h<number> */
    size_t from, to;
    int next; /* of the same block */
};

struct label {
    const char *name;
    size_t length;
    size_t offset;
    int next; /* of the same block */
};

/* A break (name NULL) or goto, whose slot gets the ends of the holds it leaves. */
struct jump {
    const char *name;
    size_t length;
    size_t offset;
    int slot;
    int block;
};

/* `local a, b = f()`: where its names go decides how long its hold lasts. */
struct candidate {
    int line;
    int slot;     /* behind the statement */
    size_t from;  /* its offset */
    int end_slot; /* behind the last statement of its block that tests a name, or NONE */
    size_t end;
    bool mentioned;
    bool tested; /* in the statement being read */
    bool other;  /* used in another way */
    bool guard;  /* last tested by an if that leaves, so what follows it belongs to the press */
};

/* A local name in scope. */
struct name {
    const char *text;
    size_t length;
    int function;
    int candidate; /* or NONE */
    int below;     /* the next older one in the bucket */
    uint32_t bucket;
};

struct block {
    int parent; /* or NONE */
    int function;
    bool is_loop;
    bool leaves; /* its last statement is return, break or goto */
    size_t end;
    int ranges;        /* first, or NONE */
    int labels;        /* first, or NONE */
    size_t names;      /* names in scope before it */
    size_t candidates; /* known before it; those after are its own */
};

struct function {
    int parent;
    int entry;     /* slot */
    bool has_call; /* or something else that may call */
    bool counts;   /* uses _ml_c */
};

/* One branch of an if being read. */
struct arm {
    int open;  /* slot behind then or else */
    int close; /* slot behind its last word */
    int block;
    size_t from, to;
};

#define VECTOR(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }

struct rewriter {
    enum rewrite_mode mode;
    struct lexer lexer;
    struct token token; /* the next one */
    size_t end;         /* of the token before it */
    bool failed;
    struct error *error;
    struct rewrite_globals *globals;
    int depth;
    int block;    /* the innermost one open */
    int function; /* the innermost one open */
    bool in_test; /* in the condition of an if, outside of arguments */
    int holds;    /* numbers given */
    struct buffer texts;
    int buckets[NAME_BUCKETS];
    VECTOR(struct slot) slots;
    VECTOR(struct range) ranges;
    VECTOR(struct label) labels;
    VECTOR(struct jump) jumps;
    VECTOR(struct candidate) candidates; /* of the blocks now open */
    VECTOR(struct name) names;
    VECTOR(struct block) blocks;
    VECTOR(struct function) functions;
    VECTOR(struct arm) arms;      /* of the ifs now open */
    VECTOR(struct token) pending; /* names read and not yet in scope */
};

/* Append a zeroed item to a vector. */
#define vector_push(vector)                                                                        \
    (rewrite_grow((void **)&(vector)->items, &(vector)->count, &(vector)->capacity,                \
                  sizeof *(vector)->items),                                                        \
     &(vector)->items[(vector)->count - 1])

void rewrite_grow(void **items, size_t *count, size_t *capacity, size_t size);

/* The first error counts; the next token becomes the end of the source, so that all loops end. */
void rewrite_fail(struct rewriter *rewriter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What an expression that begins with a name or a bracket turned out to be. */
struct suffixed {
    bool is_call;        /* its last suffix is a call */
    bool calls;          /* something in it may run the script's or Moonlit's code */
    bool argument_calls; /* an argument of a call does */
};

/* ---- tokens ---- */
void rewrite_advance(struct rewriter *rewriter);
struct token rewrite_peek(const struct rewriter *rewriter); /* the one behind the next */
bool rewrite_is_symbol(const struct token *token, char symbol);
bool rewrite_is_name(const struct token *token);
bool rewrite_accept(struct rewriter *rewriter, char symbol);
void rewrite_expect_symbol(struct rewriter *rewriter, char symbol);
void rewrite_expect(struct rewriter *rewriter, enum token_kind kind, const char *word);
struct token rewrite_expect_name(struct rewriter *rewriter);
bool rewrite_enter(struct rewriter *rewriter); /* one level deeper; false: too deep */
void rewrite_leave(struct rewriter *rewriter);

/* ---- the grammar: expressions (rewrite_expression.c) answer whether there is a call in them ----
 */
bool read_expression(struct rewriter *rewriter);
bool read_expressions(struct rewriter *rewriter);
bool read_condition(struct rewriter *rewriter);
struct suffixed read_suffixed(struct rewriter *rewriter);
void read_function(struct rewriter *rewriter, bool is_method);
void read_block(struct rewriter *rewriter);
struct function *current_function(struct rewriter *rewriter);

/* ---- slots ---- */
int slot_before_token(struct rewriter *rewriter);
int slot_after_token(struct rewriter *rewriter);
void slot_add(struct rewriter *rewriter, int slot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- blocks, functions, names ---- */
int block_open(struct rewriter *rewriter, bool is_loop);
void block_close(struct rewriter *rewriter);
void function_open(struct rewriter *rewriter);
void function_close(struct rewriter *rewriter);
void name_declare(struct rewriter *rewriter, const struct token *name, int candidate);
void name_declare_text(struct rewriter *rewriter, const char *text);
/* The name is used; `assigned`: on the left of an assignment. True when it is a global. */
bool name_mention(struct rewriter *rewriter, const struct token *name, bool assigned);

/* ---- marks ---- */
void mark_tick(struct rewriter *rewriter, int slot);
void mark_count(struct rewriter *rewriter, int slot);
void mark_drop(struct rewriter *rewriter, int slot);
void mark_keep(struct rewriter *rewriter, int slot, int line, enum rewrite_hint hint);
void mark_if(struct rewriter *rewriter, size_t first_arm, int not_taken, int line);
int candidate_new(struct rewriter *rewriter, int line, int slot);
/* A statement of the innermost block has been read; `is_guard`: an if without else that leaves. */
void mark_statement_end(struct rewriter *rewriter, bool is_guard);
bool arms_leave(const struct rewriter *rewriter, size_t first_arm);
void jump_add(struct rewriter *rewriter, const struct token *name);
void label_add(struct rewriter *rewriter, const struct token *name);
void mark_jumps(struct rewriter *rewriter);

#endif
