/* Runs a fuzz target over the files of a corpus, as a plain test. */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The number of files that were run. */
static inline size_t corpus_run(const char *folder, int (*target)(const uint8_t *, size_t))
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            uint8_t *bytes = malloc(1 << 20);
            size_t size = fread(bytes, 1, 1 << 20, file);
            bytes = realloc(bytes, size > 0 ? size : 1);
            target(bytes, size);
            free(bytes);
            fclose(file);
            count++;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return count;
}

#endif
