/* The callback: progress OPTIONS. One thread, in turn, at most ten a second, none after the call; one that
 * refuses cancels, and is not called again. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "check.h"

struct seen {
    int events, refuse_at, inside, late;
    bool over;
    pthread_t thread;
    double times[4096];
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int32_t see(void *user_data, const char *event, size_t length)
{
    struct seen *seen = user_data;
    CHECK(event != NULL && strlen(event) == length);
    CHECK(strstr(event, "multiarch.progress/v1") != NULL);
    CHECK(seen->inside == 0 && !seen->over);
    seen->inside = 1;
    CHECK(seen->events == 0 || pthread_equal(seen->thread, pthread_self()));
    seen->thread = pthread_self();
    CHECK(seen->events < 4096);
    seen->times[seen->events++] = now();
    /* The library may be used here. */
    multiarch_result *result = NULL;
    CHECK(multiarch_capabilities(&result, NULL) == MULTIARCH_OK);
    multiarch_result_free(result);
    seen->inside = 0;
    return seen->refuse_at == seen->events ? 1 : 0;
}

static void run(const char *options, struct seen *seen, multiarch_result **result,
                multiarch_error **error)
{
    pthread_t own = pthread_self();
    int32_t code = multiarch_import(options, strlen(options), NULL, see, seen, result, error);
    seen->over = true;
    CHECK(seen->events > 0 && !pthread_equal(seen->thread, own));
    CHECK(code == MULTIARCH_OK || code == MULTIARCH_ERROR_CANCELLED);
    for (int i = 10; i < seen->events; i++)
        CHECK(seen->times[i] - seen->times[i - 10] > 1.0);
}

int main(int argc, char **argv)
{
    static struct seen all, refused, first;
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    CHECK(argc == 2);
    first.refuse_at = 1;
    run(argv[1], &first, &result, &error);
    CHECK(first.events == 1);
    CHECK(error != NULL || !multiarch_result_complete(result));
    drop(multiarch_error_code(error), &result, &error);
    refused.refuse_at = 3;
    run(argv[1], &refused, &result, &error);
    CHECK(refused.events == 3);
    CHECK(error != NULL || !multiarch_result_complete(result));
    drop(multiarch_error_code(error), &result, &error);
    run(argv[1], &all, &result, &error);
    CHECK(error == NULL && multiarch_result_complete(result));
    CHECK(all.events > 3);
    drop(MULTIARCH_OK, &result, &error);
    struct timespec while_late = {0, 300000000};
    nanosleep(&while_late, NULL);
    return 0;
}
