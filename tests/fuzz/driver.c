/*
 * The main of a fuzz target outside of libFuzzer: each file of the folders named is given to the
 * target once, so that what a fuzzer once found stays found. Ends with 1 when there was no file.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target gets a copy of the exact size, so that a sanitizer sees one byte too many. */
static bool run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    size_t length = bytes != NULL ? fread(bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    printf("%s: %zu bytes\n", path, length);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    return true;
}

static size_t run_folder(const char *folder)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && run_file(path)) {
            count++;
        }
    }
    closedir(directory);
    return count;
}

int main(int count, char **folders)
{
    size_t files = 0;
    for (int i = 1; i < count; i++) {
        files += run_folder(folders[i]);
    }
    printf("%zu inputs\n", files);
    return files > 0 ? 0 : 1;
}
