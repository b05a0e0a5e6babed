/* What a caller may get wrong is an error, and never a crash. */
#include "check.h"

#define USAGE(call) CHECK(drop((call), &result, &error) == MULTIARCH_ERROR_USAGE)

static int32_t ignored(void *user_data, const char *event, size_t length)
{
    (void)user_data, (void)event, (void)length;
    return 0;
}

int main(void)
{
    static const char *const names[] = {"inspect", "status", "plan", "verify", "import"};
    static const char good[] = "{\"target\": \"oci:nowhere\"}";
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    size_t length = 1;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        multiarch_call call = call_named(names[i]);
        USAGE(call(NULL, 0, NULL, NULL, NULL, &result, &error));
        USAGE(call(NULL, 7, NULL, ignored, NULL, &result, &error));
        USAGE(call("\xff\xfe", 2, NULL, NULL, NULL, &result, &error));
        USAGE(call("{\"targt\": 1}", 12, NULL, NULL, NULL, &result, &error));
        USAGE(call("{\"options\": {\"jobs\": 0}}", 24, NULL, NULL, NULL, &result, &error));
        /* Half of the document: the length counts, and not the NUL. */
        USAGE(call(good, 5, NULL, NULL, NULL, &result, &error));
        /* Longer than any text can be. */
        USAGE(call(good, SIZE_MAX, NULL, NULL, NULL, &result, &error));
        CHECK(call(good, strlen(good), NULL, NULL, NULL, NULL, NULL) == MULTIARCH_ERROR_USAGE);
        result = (multiarch_result *)(void *)&length;
        CHECK(call(good, strlen(good), NULL, NULL, NULL, NULL, &error) == MULTIARCH_ERROR_USAGE);
        CHECK(strstr(multiarch_error_json(error, NULL), "result: ") != NULL);
        multiarch_error_free(error);
        error = NULL;
        /* An error that is not wanted. */
        CHECK(call("[", 1, NULL, NULL, NULL, &result, NULL) == MULTIARCH_ERROR_USAGE);
        CHECK(result == NULL);
    }
    result = NULL;
    USAGE(multiarch_options_check("{}", 2, &error));
    USAGE(multiarch_options_check("\xc3(", 2, &error));
    CHECK(multiarch_options_check(NULL, 0, NULL) == MULTIARCH_ERROR_USAGE);
    USAGE(multiarch_config(NULL, 0, &result, &error));
    USAGE(multiarch_config("kind: Pod", 9, &result, &error));
    CHECK(multiarch_config("a: 1", 4, NULL, NULL) == MULTIARCH_ERROR_USAGE);
    CHECK(multiarch_capabilities(NULL, NULL) == MULTIARCH_ERROR_USAGE);
    USAGE(multiarch_apply("{}", 2, NULL, 0, NULL, NULL, NULL, &result, &error));
    USAGE(multiarch_apply("{}", 2, NULL, 3, NULL, NULL, NULL, &result, &error));
    USAGE(multiarch_apply("{}", 2, "\xff", 1, NULL, NULL, NULL, &result, &error));
    USAGE(multiarch_apply("{}", 2, "{}", 2, NULL, NULL, NULL, &result, &error));
    USAGE(multiarch_apply("[]", 2, "{}", 2, NULL, NULL, NULL, &result, &error));

    multiarch_result_free(NULL);
    multiarch_error_free(NULL);
    multiarch_cancel_free(NULL);
    multiarch_cancel_now(NULL);
    CHECK(multiarch_error_code(NULL) == MULTIARCH_OK);
    CHECK(!multiarch_result_complete(NULL));
    CHECK(multiarch_result_json(NULL, &length) == NULL && length == 0);
    length = 1;
    CHECK(multiarch_error_json(NULL, &length) == NULL && length == 0);
    CHECK(multiarch_result_json(NULL, NULL) == NULL && multiarch_error_json(NULL, NULL) == NULL);
    return 0;
}
