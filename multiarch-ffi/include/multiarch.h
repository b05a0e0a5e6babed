/*
 * multiarch: makes what offline packages install multi-architecture, without ever losing an architecture.
 *
 * CONVENTIONS
 *
 * Documents. What goes in and comes out are JSON documents in UTF-8; each has a member `schema` with its
 * name and version, and its JSON schema is installed beside this header, in share/multiarch/schemas.
 * Results and errors are what the command prints with `--json`. Options refuse members that they do not
 * know, at every depth. Results may get new members within a version: skip those that you do not know.
 *
 * Texts in are a pointer and a length in bytes; no NUL is needed. (NULL, 0) is the empty text. A text is
 * read until the function returns, and not kept.
 * Texts out have a length, too, and a NUL behind the last byte that does not count.
 *
 * Ownership. "Borrowed": you keep it, and it must stay as it is until the function returns. "Taken": it is
 * freed, and must not be used again. "Owned by the caller": you free it, once, with the function of its
 * type: multiarch_result_free, multiarch_error_free, multiarch_cancel_free. Each takes NULL. free() must
 * not be used.
 *
 * Results and errors. A function that can fail returns MULTIARCH_OK or the code of an error. Where it
 * returns MULTIARCH_OK it sets *result and sets *error to NULL; otherwise the other way round. `error` may
 * be NULL, `result` may not. An error means that the call did nothing to the target. What fails in part is
 * no error: the result says what, and multiarch_result_complete() is false.
 * A panic inside the library is the error MULTIARCH_ERROR_PANIC, of which it is not known what was done.
 *
 * Codes never change their number. Programs must take a code that they do not know for
 * MULTIARCH_ERROR_OTHER.
 *
 * Threads. Every function may be called from any thread, also at one time; there is no state between
 * calls. One object may be read by several threads; freeing it must come after. A call blocks, and works on
 * threads of its own, with stacks of their own; they are gone when it returns. Signals are blocked on them,
 * so the program's handlers run on the program's threads. A callback comes from one of these threads,
 * never after the call has returned.
 *
 * What is left alone. The library installs no handler of signals, writes nothing to standard output and
 * standard error, changes no variable of the environment, working directory, locale or umask. It reads the
 * environment (logins, proxies, certificates, HOME), which must not be changed during a call. After the
 * first call a child of fork() may only exec. Once loaded with dlopen() it stays: dlclose() does not
 * unload it.
 *
 * Paths may be relative; they count from the working directory of the moment in which the call reads them,
 * also those in a plan. Absolute ones are better.
 *
 * Logins are not looked for where the options give one. `"credentials": "none"` gives none, and has
 * nothing looked for, neither in the environment nor in files of docker and podman.
 */

#ifndef MULTIARCH_H
#define MULTIARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What multiarch_version() says of the library that this header belongs to. */
#define MULTIARCH_VERSION "0.1.0"

/*
 The version of the binary interface that this header describes. It changes where a program that was
 compiled with an older header could not go on.
 */
#define MULTIARCH_ABI_VERSION 1

/*
 Success. Each other code is an error's.
 */
#define MULTIARCH_OK 0

/*
 An error without a code of its own: a newer library may report one.
 */
#define MULTIARCH_ERROR_OTHER 1

/*
 A fault of the library itself. The process goes on; what the call did is not known.
 */
#define MULTIARCH_ERROR_PANIC 2

/*
 An argument, option or configuration is wrong: NULL, text that is not UTF-8, an unknown member.
 */
#define MULTIARCH_ERROR_USAGE 10

/*
 A file or directory could not be read or written.
 */
#define MULTIARCH_ERROR_IO 11

/*
 The path exists, but what it holds is not a package.
 */
#define MULTIARCH_ERROR_NOT_A_PACKAGE 12

/*
 The data ends early.
 */
#define MULTIARCH_ERROR_TRUNCATED 13

/*
 The data breaks the rules of its format.
 */
#define MULTIARCH_ERROR_MALFORMED 14

/*
 A size, count or depth is beyond the limit for untrusted input.
 */
#define MULTIARCH_ERROR_TOO_LARGE 15

/*
 A path or link in an archive leads outside it.
 */
#define MULTIARCH_ERROR_UNSAFE_PATH 16

/*
 A file that another one refers to is not there.
 */
#define MULTIARCH_ERROR_MISSING 17

/*
 The bytes do not have their digest, or their size.
 */
#define MULTIARCH_ERROR_DIGEST_MISMATCH 18

/*
 A format or media type is not read here, or cannot be fused with what is there.
 */
#define MULTIARCH_ERROR_UNSUPPORTED 19

/*
 What a tag holds could not be read, so the tag is left alone.
 */
#define MULTIARCH_ERROR_UNREADABLE_TAG 20

/*
 There are two different images for one platform, and the policy is to fail.
 */
#define MULTIARCH_ERROR_CONFLICT 21

/*
 A different chart of the same name and version is in the chart repository.
 */
#define MULTIARCH_ERROR_CHART_CONFLICT 22

/*
 The address is not a chart repository's, or the repository takes no charts.
 */
#define MULTIARCH_ERROR_NO_CHART_REPOSITORY 23

/*
 Two different images of one run have the same name and platform.
 */
#define MULTIARCH_ERROR_NAME_CLASH 24

/*
 A hint cannot be parsed, or needs a value that the chart does not have.
 */
#define MULTIARCH_ERROR_HINT 25

/*
 The image has no name in the package.
 */
#define MULTIARCH_ERROR_UNNAMED 26

/*
 A saved plan differs from the one that would be made now.
 */
#define MULTIARCH_ERROR_PLAN_OUTDATED 27

/*
 Another writer changed the target at the same time, more often than the limit of retries.
 */
#define MULTIARCH_ERROR_CONTENDED 28

/*
 The call was cancelled.
 */
#define MULTIARCH_ERROR_CANCELLED 29

/*
 The server wants credentials, or refuses those it got.
 */
#define MULTIARCH_ERROR_UNAUTHORIZED 30

/*
 The server does not allow the request with these credentials.
 */
#define MULTIARCH_ERROR_DENIED 31

/*
 The server's certificate is not trusted.
 */
#define MULTIARCH_ERROR_UNTRUSTED 32

/*
 The server could not be reached, or the connection broke.
 */
#define MULTIARCH_ERROR_NETWORK 33

/*
 The server gave no useful answer for too long, so no more requests are made to it for a while.
 */
#define MULTIARCH_ERROR_UNREACHABLE 34

/*
 The server answered with an error of its own.
 */
#define MULTIARCH_ERROR_SERVER 35

/*
 The server says that a blob or manifest is missing that it was known to have.
 */
#define MULTIARCH_ERROR_BLOB_UNKNOWN 36

/*
 Why a call has no result. Freed with `multiarch_error_free`; until then any thread may read it.
 */
typedef struct multiarch_error multiarch_error;

/*
 What a call gave. Freed with `multiarch_result_free`; until then any thread may read it.
 */
typedef struct multiarch_result multiarch_result;

/*
 A way to stop calls. One can be given to any number of calls, also at one time; once cancelled, it
 stays so. Freed with `multiarch_cancel_free`, after the calls that it was given to have returned.
 */
typedef struct multiarch_cancel multiarch_cancel;

/*
 Called with the progress of a call; NULL where it is not wanted.

 - `user_data`: what was given with the call, untouched.
 - `event`: borrowed until the callback returns: `event_length` bytes of JSON in UTF-8 and a NUL,
   of the schema `multiarch.progress/v1`. Its member `log` has lines for a log, mostly none.
 - Returns: 0 to go on; anything else cancels this call, which then calls no more.

 All calls come from one thread of the library, one after the other, at most ten a second, and none once
 the call has returned. The last one shows the end. While a callback works the run goes on, but cannot
 return: it should be short. It may use this library, also start another call, and cancel. It must
 return: no exception and no `longjmp` may leave it. All signals are blocked on its thread.
 */
typedef int32_t (*multiarch_progress)(void *user_data,
                                      const char *event,
                                      size_t event_length);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The library's version, such as `0.1.0`.

 - Returns: constant, ends with a NUL, is never freed.
 */
const char *multiarch_version(void);

/*
 The version of the binary interface that the library has. Another one than `MULTIARCH_ABI_VERSION`
 means that header and library do not fit.
 */
uint32_t multiarch_abi_version(void);

/*
 The same, with the version in its name: a program that calls it cannot be linked with, or started on, a
 library of another one.
 */
uint32_t multiarch_abi_1(void);

/*
 What the library can do: versions, features, formats of packages, targets, chart repositories, the
 schema of each document, and every error code with its kind.

 - `result`: written; JSON of the schema `multiarch.capabilities/v1`, owned by the caller.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_capabilities(multiarch_result **result,
                               multiarch_error **error);

/*
 A new one, which is not cancelled.

 - Returns: owned by the caller, who frees it with `multiarch_cancel_free`. Never NULL, unless the
   library has a fault.
 */
multiarch_cancel *multiarch_cancel_new(void);

/*
 Stops the calls that this was given to: what is in flight is finished or given up at the next chunk.
 Such a call returns within a second or two (a lookup of a host's name must end first); what was written
 stays, and is whole. A call that it is given to later stops at once.

 It returns at once, may be called from any thread, from the callback, and from a signal handler.

 - `cancel`: borrowed; NULL does nothing.
 */
void multiarch_cancel_now(const multiarch_cancel *cancel);

/*
 Frees it.

 - `cancel`: taken; NULL is fine. It may not be used afterwards, and no call may be using it.
 */
void multiarch_cancel_free(multiarch_cancel *cancel);

/*
 The error's code, which the call returned, too.

 - `error`: borrowed; NULL gives `MULTIARCH_OK`.
 */
int32_t multiarch_error_code(const multiarch_error *error);

/*
 The error as JSON in UTF-8, of the schema `multiarch.error/v1`: kind, message, and where it happened,
 as far as that is known (package, bundle, image, digest, host, request, path). It holds no secret.

 - `error`: borrowed; NULL gives NULL and the length 0.
 - `length`: written; the number of bytes without the NUL that follows them. NULL where it is not
   wanted.
 - Returns: borrowed from `error`, and valid until that is freed.
 */
const char *multiarch_error_json(const multiarch_error *error,
                                 size_t *length);

/*
 Frees an error, and its text with it.

 - `error`: taken; NULL is fine. It may not be used afterwards.
 */
void multiarch_error_free(multiarch_error *error);

/*
 Checks a document of options: its form, its members, its addresses. Opens no file and asks no server.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`, with a
   `target`.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_options_check(const char *options,
                                size_t options_length,
                                multiarch_error **error);

/*
 Reads the installer's `clusterConfig.yaml`, and gives the options that it means: packages, target and
 chart repository, with the logins that stand in it. The result is a document of options, to be given to
 the other functions as it is or with more members; it holds secrets. Where the file says `auto`, the
 target is this machine's own address. Without `imagesAndCharts` there is no target in the result.

 - `text`: borrowed; `text_length` bytes of YAML, the content of the file.
 - `result`: written; JSON of the schema `multiarch.options/v1`, owned by the caller.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_config(const char *text,
                         size_t text_length,
                         multiarch_result **result,
                         multiarch_error **error);

/*
 Lists what packages hold: charts, images, their platforms.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`. Takes
   `packages`, `cache` and `read_programs`.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.inspections/v1`, owned by the caller. Complete where
   all packages can be imported as a whole.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_inspect(const char *options,
                          size_t options_length,
                          const multiarch_cancel *cancel,
                          multiarch_progress progress,
                          void *user_data,
                          multiarch_result **result,
                          multiarch_error **error);

/*
 Reports what the target holds: each tag, and its platforms. With packages, only their tags, and their
 charts. Writes nothing.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.status/v1`, owned by the caller. Complete where all
   tags could be read, and the target has what they list.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_status(const char *options,
                         size_t options_length,
                         const multiarch_cancel *cancel,
                         multiarch_progress progress,
                         void *user_data,
                         multiarch_result **result,
                         multiarch_error **error);

/*
 Plans an import: what will be sent, written and kept. Writes nothing.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.plan/v2`, owned by the caller, for `multiarch_apply`.
   It holds no secrets. Complete where it has everything that was asked for.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_plan(const char *options,
                       size_t options_length,
                       const multiarch_cancel *cancel,
                       multiarch_progress progress,
                       void *user_data,
                       multiarch_result **result,
                       multiarch_error **error);

/*
 Compares the target with packages, down to each layer that its tags list. Writes nothing.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`; its option
   `verify` counts as set.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.plan/v2`, the plan of what an import would do, owned
   by the caller. Complete where an import would have nothing to do, because all is there.
 - `error`: written; owned by the caller. NULL where it is not wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_verify(const char *options,
                         size_t options_length,
                         const multiarch_cancel *cancel,
                         multiarch_progress progress,
                         void *user_data,
                         multiarch_result **result,
                         multiarch_error **error);

/*
 Imports packages into the target, and fuses them with what is there: `multiarch_plan` and
 `multiarch_apply` in one.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it. Cancelled after
   writing has begun, the call still has a result, whose member `cancelled` is true.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.report/v1`, owned by the caller. Complete where all
   that was asked for is in the target; otherwise the same call does what is left.
 - `error`: written; owned by the caller, where nothing was written to the target. NULL where it is not
   wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_import(const char *options,
                         size_t options_length,
                         const multiarch_cancel *cancel,
                         multiarch_progress progress,
                         void *user_data,
                         multiarch_result **result,
                         multiarch_error **error);

/*
 Does what a plan says. The target is asked again first, and nothing is written where a decision would
 differ.

 - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`. Takes the
   logins, `cache`, and the options of how servers are reached (`ca-files`, `insecure-hosts`,
   `client-certificate`, `client-key`, `auth-file`, `limit-rate`, `jobs`); the others are the plan's.
   `target`, `charts_to` and `packages` may be left out, and are refused where the plan has others.
 - `plan`: borrowed; `plan_length` bytes of JSON of the schema `multiarch.plan/v2`.
 - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it. Cancelled after
   writing has begun, the call still has a result, whose member `cancelled` is true.
 - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
 - `result`: written; JSON of the schema `multiarch.report/v1`, owned by the caller. Complete where the
   plan was, and all of it is in the target.
 - `error`: written; owned by the caller, where nothing was written to the target. NULL where it is not
   wanted.
 - Returns: `MULTIARCH_OK`, or the error's code.
 */
int32_t multiarch_apply(const char *options,
                        size_t options_length,
                        const char *plan,
                        size_t plan_length,
                        const multiarch_cancel *cancel,
                        multiarch_progress progress,
                        void *user_data,
                        multiarch_result **result,
                        multiarch_error **error);

/*
 The result as JSON in UTF-8; which schema it has, the function that gave it says.

 - `result`: borrowed; NULL gives NULL and the length 0.
 - `length`: written; the number of bytes without the NUL that follows them. NULL where it is not
   wanted.
 - Returns: borrowed from `result`, and valid until that is freed.
 */
const char *multiarch_result_json(const multiarch_result *result,
                                  size_t *length);

/*
 True where all that was asked for is there: where the command would end with 0, and not with 1. A call
 whose result is not complete has done the rest; errors stand in the result.

 - `result`: borrowed; NULL gives false.
 */
bool multiarch_result_complete(const multiarch_result *result);

/*
 Frees a result, and its text with it.

 - `result`: taken; NULL is fine. It may not be used afterwards.
 */
void multiarch_result_free(multiarch_result *result);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MULTIARCH_H */
