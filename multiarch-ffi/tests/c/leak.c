/* Forgets to free a result: for the checkers, which must find it. */
#include "multiarch.h"

int main(void)
{
    multiarch_result *result = NULL;
    int32_t code = multiarch_capabilities(&result, NULL);
    result = NULL;
    return (int)code;
}
