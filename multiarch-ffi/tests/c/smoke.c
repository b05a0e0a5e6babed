/* Every function once, as a program would use it: smoke OPTIONS CONFIG. */
#include "check.h"

static char *copy(multiarch_result *result)
{
    size_t length = 0;
    const char *json = multiarch_result_json(result, &length);
    char *text = malloc(length + 1);
    CHECK(json != NULL && text != NULL);
    memcpy(text, json, length + 1);
    return text;
}

int main(int argc, char **argv)
{
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    CHECK(argc == 3);
    const char *options = argv[1], *config = argv[2];
    size_t length = strlen(options);

    CHECK(strcmp(multiarch_version(), MULTIARCH_VERSION) == 0);
    CHECK(multiarch_abi_version() == MULTIARCH_ABI_VERSION);
    CHECK(multiarch_abi_1() == MULTIARCH_ABI_VERSION);
    CHECK(multiarch_capabilities(&result, &error) == MULTIARCH_OK);
    CHECK(strstr(multiarch_result_json(result, NULL), "multiarch.capabilities/v1") != NULL);
    drop(MULTIARCH_OK, &result, &error);

    CHECK(multiarch_options_check(options, length, &error) == MULTIARCH_OK && error == NULL);
    CHECK(multiarch_config(config, strlen(config), &result, &error) == MULTIARCH_OK);
    CHECK(strstr(multiarch_result_json(result, NULL), "multiarch.options/v1") != NULL);
    drop(MULTIARCH_OK, &result, &error);

    multiarch_cancel *cancel = multiarch_cancel_new();
    CHECK(cancel != NULL);
    CHECK(multiarch_inspect(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    drop(MULTIARCH_OK, &result, &error);

    /* Nothing is there yet. */
    CHECK(multiarch_verify(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(!multiarch_result_complete(result));
    drop(MULTIARCH_OK, &result, &error);

    CHECK(multiarch_plan(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    char *plan = copy(result);
    drop(MULTIARCH_OK, &result, &error);
    CHECK(multiarch_apply("{}", 2, plan, strlen(plan), cancel, NULL, NULL, &result, &error) ==
          MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    CHECK(strstr(multiarch_result_json(result, NULL), "multiarch.report/v1") != NULL);
    drop(MULTIARCH_OK, &result, &error);
    free(plan);

    /* Again: nothing is left to do. */
    CHECK(multiarch_import(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    CHECK(strstr(multiarch_result_json(result, NULL), "\"tags_written\": 0") != NULL);
    drop(MULTIARCH_OK, &result, &error);
    CHECK(multiarch_verify(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    drop(MULTIARCH_OK, &result, &error);
    CHECK(multiarch_status(options, length, cancel, NULL, NULL, &result, &error) == MULTIARCH_OK);
    CHECK(multiarch_result_complete(result));
    drop(MULTIARCH_OK, &result, &error);
    multiarch_cancel_free(cancel);
    return 0;
}
