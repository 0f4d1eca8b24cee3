/* Any bytes as messages of the wire protocol, from memory of exactly their length. */
#include <stdlib.h>
#include <string.h>

#include "store/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_request request;
    struct error error = {0};
    const uint8_t *at = data;
    while (wire_read(at, size, &request, &error) == WIRE_READY) {
        if (request.size > size || request.body == NULL || request.body_length < 5) {
            abort();
        }
        at += request.size;
        size -= request.size;
    }
    return 0;
}
