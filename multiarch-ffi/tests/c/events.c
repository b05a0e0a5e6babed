/* Prints each event of a call as a line: events FUNCTION OPTIONS. */
#include "check.h"

static int32_t print(void *user_data, const char *event, size_t length)
{
    CHECK(fwrite(event, 1, length, user_data) == length && fputc('\n', user_data) == '\n');
    return 0;
}

int main(int argc, char **argv)
{
    multiarch_result *result = NULL;
    multiarch_error *error = NULL;
    CHECK(argc == 3);
    int32_t code = call_named(argv[1])(argv[2], strlen(argv[2]), NULL, print, stdout, &result, &error);
    return drop(code, &result, &error);
}
