/* What the test programs share. They print nothing where all is well: what they print is the failure. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "multiarch.h"

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

/* Frees what a call gave, and checks that it gave one of both. Addresses, since a compiler may evaluate the
 * other arguments before the call. */
static inline int32_t drop(int32_t code, multiarch_result **result, multiarch_error **error)
{
    CHECK((code == MULTIARCH_OK) == (*error == NULL));
    CHECK((code == MULTIARCH_OK) == (*result != NULL));
    CHECK(multiarch_error_code(*error) == code);
    multiarch_result_free(*result);
    multiarch_error_free(*error);
    *result = NULL;
    *error = NULL;
    return code;
}

/* The function of each name that takes options and runs for a while. */
typedef int32_t (*multiarch_call)(const char *, size_t, const multiarch_cancel *, multiarch_progress,
                                  void *, multiarch_result **, multiarch_error **);

static inline multiarch_call call_named(const char *name)
{
    if (strcmp(name, "inspect") == 0) return multiarch_inspect;
    if (strcmp(name, "status") == 0) return multiarch_status;
    if (strcmp(name, "plan") == 0) return multiarch_plan;
    if (strcmp(name, "verify") == 0) return multiarch_verify;
    if (strcmp(name, "import") == 0) return multiarch_import;
    fprintf(stderr, "no function %s\n", name);
    exit(1);
}

#endif
