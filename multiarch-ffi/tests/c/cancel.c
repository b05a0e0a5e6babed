/* Cancels an import after so many milliseconds, from another thread: cancel OPTIONS MILLISECONDS.
 * The call must return within seconds, and the same one does what is left. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "check.h"

struct later {
    const multiarch_cancel *cancel;
    long milliseconds;
    struct timespec at;
};

static void *cancel_later(void *argument)
{
    struct later *later = argument;
    struct timespec pause = {later->milliseconds / 1000, later->milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &later->at);
    multiarch_cancel_now(later->cancel);
    return NULL;
}

int main(int argc, char **argv)
{
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    CHECK(argc == 3);
    multiarch_cancel *cancel = multiarch_cancel_new();
    struct later later = {cancel, strtol(argv[2], NULL, 10), {0, 0}};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_later, &later) == 0);
    int32_t code = multiarch_import(argv[1], strlen(argv[1]), cancel, NULL, NULL, &result, &error);
    CHECK(pthread_join(thread, NULL) == 0);
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    /* A memory checker makes all of it many times slower. */
    CHECK(end.tv_sec - later.at.tv_sec < 30);
    if (code == MULTIARCH_OK)
        CHECK(multiarch_result_complete(result) ||
              strstr(multiarch_result_json(result, NULL), "\"cancelled\": true") != NULL);
    else
        CHECK(code == MULTIARCH_ERROR_CANCELLED);
    drop(code, &result, &error);

    /* It stays cancelled. */
    code = multiarch_import(argv[1], strlen(argv[1]), cancel, NULL, NULL, &result, &error);
    CHECK(drop(code, &result, &error) == MULTIARCH_ERROR_CANCELLED);
    multiarch_cancel_free(cancel);
    return 0;
}
