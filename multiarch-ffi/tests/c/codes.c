/* Every code of an error, and a panic: codes CODE=KIND... The library has the feature `faults`. */
#include "check.h"

int main(int argc, char **argv)
{
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    char options[200];
    for (int i = 1; i < argc; i++) {
        char *kind = strchr(argv[i], '=');
        CHECK(kind != NULL);
        int32_t expected = (int32_t)strtol(argv[i], NULL, 10);
        int length = snprintf(options, sizeof options, "{\"fault\": \"%s\"}", kind + 1);
        static const char *const names[] = {"inspect", "status", "plan", "verify", "import"};
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            int32_t code = call_named(names[n])(options, (size_t)length, NULL, NULL, NULL, &result, &error);
            CHECK(code == expected);
            CHECK(strstr(multiarch_error_json(error, NULL), "on purpose") != NULL);
            drop(code, &result, &error);
        }
        CHECK(multiarch_options_check(options, (size_t)length, &error) == expected);
        multiarch_error_free(error);
        result = NULL;
        CHECK(multiarch_apply(options, (size_t)length, "", 0, NULL, NULL, NULL, &result, &error) == expected);
        drop(expected, &result, &error);
    }
    /* The library goes on. */
    return drop(multiarch_capabilities(&result, &error), &result, &error);
}
