/* Loads libraries, uses all of them at one time, and closes them: load OPTIONS LIBRARY... Each call of a
 * library goes on while the others are loaded, and the process ends well after all are closed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>

#include "check.h"

#define LOADED(library, name) \
    __extension__((__typeof__(&name))load_symbol(library, #name))

static void *load_symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(found != NULL);
    return found;
}

struct use {
    void *library;
    const char *options;
};

static void *use(void *argument)
{
    struct use *given = argument;
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    int32_t code = LOADED(given->library, multiarch_inspect)(
        given->options, strlen(given->options), NULL, NULL, NULL, &result, &error);
    CHECK(code == MULTIARCH_OK && error == NULL);
    CHECK(LOADED(given->library, multiarch_result_complete)(result));
    LOADED(given->library, multiarch_result_free)(result);
    return NULL;
}

int main(int argc, char **argv)
{
    struct use uses[8];
    pthread_t threads[8];
    CHECK(argc > 2 && argc < 10);
    for (int round = 0; round < 2; round++) {
        for (int i = 2; i < argc; i++) {
            void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
            if (library == NULL) fprintf(stderr, "%s\n", dlerror());
            CHECK(library != NULL);
            CHECK(LOADED(library, multiarch_abi_version)() == MULTIARCH_ABI_VERSION);
            uses[i - 2] = (struct use){library, argv[1]};
            CHECK(pthread_create(&threads[i - 2], NULL, use, &uses[i - 2]) == 0);
        }
        for (int i = 2; i < argc; i++) {
            CHECK(pthread_join(threads[i - 2], NULL) == 0);
            CHECK(dlclose(uses[i - 2].library) == 0);
        }
    }
    return 0;
}
