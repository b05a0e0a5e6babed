/* Calls one function and prints its JSON, as the command would: call FUNCTION OPTIONS [PLAN].
 * Ends with 0 where the result is complete, with 1 where it is not, and with the code of an error. */
#include "check.h"

static int print(int32_t code, multiarch_result *result, multiarch_error *error)
{
    size_t length = 0;
    const char *json = code == MULTIARCH_OK ? multiarch_result_json(result, &length)
                                            : multiarch_error_json(error, &length);
    int end = code == MULTIARCH_OK ? (multiarch_result_complete(result) ? 0 : 1) : (int)code;
    CHECK(json != NULL && json[length] == 0 && strlen(json) == length);
    CHECK(fwrite(json, 1, length, stdout) == length);
    CHECK(fflush(stdout) == 0);
    drop(code, &result, &error);
    return end;
}

int main(int argc, char **argv)
{
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    int32_t code;
    CHECK(argc >= 3);
    const char *name = argv[1], *options = argv[2];
    size_t length = strlen(options);
    if (strcmp(name, "config") == 0)
        code = multiarch_config(options, length, &result, &error);
    else if (strcmp(name, "capabilities") == 0)
        code = multiarch_capabilities(&result, &error);
    else if (strcmp(name, "options_check") == 0) {
        code = multiarch_options_check(options, length, &error);
        if (code == MULTIARCH_OK) return 0;
    } else if (strcmp(name, "apply") == 0) {
        CHECK(argc == 4);
        code = multiarch_apply(options, length, argv[3], strlen(argv[3]), NULL, NULL, NULL, &result,
                               &error);
    } else
        code = call_named(name)(options, length, NULL, NULL, NULL, &result, &error);
    return print(code, result, error);
}
